using System.Globalization;
using Dsde.Engine.Models;
using static TorchSharp.torch;

namespace Dsde.Engine.Loading;

/// <summary>
/// What models take, so that running out of memory is told before it happens where that is known, and in plain words where it is not.
/// </summary>
/// <param name="Weights">Bytes of all weights in the type computed in.</param>
/// <param name="KvCache">Bytes of keys and values of all slots.</param>
/// <param name="Slots">Sequences there is room for, retained ones included.</param>
/// <param name="Positions">Positions of each.</param>
internal readonly record struct MemoryNeeds(long Weights, long KvCache, int Slots, int Positions)
{
    /// <summary>Those of some models with caches of one size. Absurd sizes saturate.</summary>
    public static MemoryNeeds Of(IEnumerable<ModelFolder> models, int slots, int positions, ScalarType type)
    {
        Int128 weights = 0,
            cache = 0;
        var elementSize = type == ScalarType.Float32 ? sizeof(float) : sizeof(ushort);
        foreach (var model in models)
        {
            weights += (Int128)model.ParameterCount * elementSize;
            cache += (Int128)Kv.KvCache.BytesPerPosition(model.Config, type) * slots * positions;
        }

        return new MemoryNeeds((long)Int128.Min(weights, long.MaxValue / 2), (long)Int128.Min(cache, long.MaxValue / 2), slots, positions);
    }

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
            $"The models need {Show(Weights)} for weights and {Show(KvCache)} for keys and values of {Slots} slots of {Positions} "
                + $"tokens, but {limit}. "
                + $"Lower {EngineOptions.SectionName}:{nameof(EngineOptions.MaxLength)} or {nameof(EngineOptions.BatchSize)}, limit "
                + $"{nameof(EngineOptions.KvCacheMegabytes)}, use {nameof(EngineOptions.DataType)} bf16, or name more devices.",
            cause
        );
}
