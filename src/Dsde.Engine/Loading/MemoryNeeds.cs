using System.Globalization;
using Dsde.Engine.Models;
using static TorchSharp.torch;

namespace Dsde.Engine.Loading;

/// <summary>
/// What models take, so that running out of memory is told before it happens where that is known, and in plain words where it is not.
/// </summary>
/// <param name="Weights">Bytes of all weights in the type computed in.</param>
/// <param name="KvCache">Bytes of keys and values, as far as the pool of blocks may grow.</param>
internal readonly record struct MemoryNeeds(long Weights, long KvCache)
{
    /// <summary>
    /// Share of a processor's memory that is left beside the weights and goes to keys and values by default: other programs need some, too.
    /// Of a GPU's nearly all, but for what a pass takes.
    /// </summary>
    private const double CpuShare = 0.5;

    private const double GpuShare = 0.8;

    /// <summary>Those of the weights of some models. Absurd sizes saturate.</summary>
    public static MemoryNeeds OfWeights(IEnumerable<ModelFolder> models, ScalarType type)
    {
        Int128 weights = 0;
        var elementSize = type == ScalarType.Float32 ? sizeof(float) : sizeof(ushort);
        foreach (var model in models)
        {
            weights += (Int128)model.ParameterCount * elementSize;
        }

        return new MemoryNeeds((long)Int128.Min(weights, long.MaxValue / 2), 0);
    }

    /// <summary>What keys and values may take at most where nothing else is said.</summary>
    /// <param name="available">Bytes that can be had now; null where nobody knows.</param>
    /// <param name="isGpu">Whether they are a GPU's.</param>
    public long DefaultCache(long? available, bool isGpu) =>
        available is { } bytes ? (long)(Math.Max(0, bytes - Weights) * (isGpu ? GpuShare : CpuShare)) : long.MaxValue;

    /// <summary>Refuses what the machine can't hold. On a processor only: the memory of a GPU is known when it ends.</summary>
    /// <param name="available">Bytes of the machine, or of the container the program runs in.</param>
    /// <exception cref="ModelLoadException">It does not fit.</exception>
    public void Require(long available)
    {
        if (Weights + KvCache > available)
        {
            throw Exceeded($"there are {Show(available)} in all", null);
        }
    }

    /// <summary>Loads, and puts a failed allocation in plain words.</summary>
    /// <exception cref="ModelLoadException">Memory ran out.</exception>
    public T Load<T>(Func<T> load)
    {
        try
        {
            return load();
        }
        catch (Exception exception) when (AllocationFailure.Is(exception))
        {
            throw Exceeded("the device ran out of memory", exception);
        }
    }

    private static string Show(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):F2} GiB");

    private ModelLoadException Exceeded(string limit, Exception? cause) =>
        new(
            $"The models need {Show(Weights)} for weights and {Show(KvCache)} for keys and values, but {limit}. Lower "
                + $"{EngineOptions.SectionName}:{nameof(EngineOptions.KvCacheMegabytes)} or {nameof(EngineOptions.MaxLength)}, use "
                + $"{nameof(EngineOptions.DataType)} bf16, or name more devices.",
            cause
        );
}
