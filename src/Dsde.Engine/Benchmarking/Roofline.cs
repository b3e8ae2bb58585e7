using Dsde.Engine.Kv;
using Dsde.Engine.Loading;
using Dsde.Engine.Models;
using static TorchSharp.torch;

namespace Dsde.Engine.Benchmarking;

/// <summary>
/// Measures a target against what the machine allows: plain reads of memory, the linear layers alone, whole forward passes and whole
/// iterations. Every round measures each of them once, so that a disturbance hits all alike, and medians are reported.
/// </summary>
public static class Roofline
{
    /// <summary>Iterations and prompts are measured in every n-th round only: each time takes as long as many passes.</summary>
    private const int RoundsPerIteration = 5;

    /// <summary>
    /// Loads the target of <paramref name="options"/> and measures it; takes the calling thread for some seconds to minutes.
    /// </summary>
    /// <exception cref="ModelLoadException">The target or an option does not do; the message says why.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled between two measurements.</exception>
    public static RooflineReport Measure(EngineOptions options, RooflineOptions settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.Repetitions, 1);
        var compute = ComputeSettings.Choose(options);
        ThreadSettings.Apply(options, compute.Device);
        using var mode = inference_mode();
        var folder = ModelFolder.Open(options.Target);
        RequireContext(folder, settings);
        var slotCount = settings.Cases.Max(@case => @case.SequenceCount);
        var length = settings.ContextLength + settings.Cases.Max(@case => @case.RowsPerSequence);
        var longLength = Math.Min(settings.LongContextLength, folder.Config.ContextLength);
        using var decoder = new CachedDecoder(
            folder,
            slotCount + settings.LongSequenceCount,
            Math.Max(length, longLength),
            compute.Type,
            compute.Device,
            options.Numerics == "deterministic",
            blockCount: (slotCount * BlockTable.BlocksFor(length)) + (settings.LongSequenceCount * BlockTable.BlocksFor(longLength)),
            kernels: compute.Kernels
        );
        var layers = new LinearLayers(decoder.Weights, decoder.Operators);
        using var bandwidth = new BandwidthProbe(compute.Device, get_num_threads());
        using var multiplication = compute.Kernels?.Kernel is { } kernel
            ? new ComputeProbe(kernel, compute.Type == ScalarType.Float32 ? sizeof(float) : sizeof(ushort), get_num_threads())
            : null;
        var iterations = settings.MeasuresIterations ? new IterationProbe(options, slotCount, settings.ContextLength) : null;
        try
        {
            var samples = new RooflineSamples(settings.Cases);
            var passes = new PassProbe(decoder, layers, compute.Device, settings.ContextLength);
            var longContexts = CreateLong(settings, options, decoder, layers, compute, slotCount, longLength);
            samples.Measure(bandwidth, multiplication, passes, iterations, cancellationToken);
            longContexts?.Measure(bandwidth, measuresPrefill: true);
            samples.Clear(); // the first round warms up
            longContexts?.Clear();
            for (var round = 0; round < settings.Repetitions; round++)
            {
                var isLong = round % RoundsPerIteration == 0;
                samples.Measure(bandwidth, multiplication, passes, isLong ? iterations : null, cancellationToken);
                longContexts?.Measure(bandwidth, measuresPrefill: isLong);
            }

            return new RooflineReport(
                folder.Name,
                compute.TypeName,
                compute.Device.ToString(),
                get_num_threads(),
                layers.WeightBytes,
                samples.ReadBytesPerSecond,
                samples.Summarize()
            )
            {
                Kernels = compute.Kernels?.Description,
                OperationsPerSecond = samples.OperationsPerSecond,
                Attention = longContexts?.SummarizeAttention() ?? [],
                Prefill = longContexts?.SummarizePrefill(),
            };
        }
        finally
        {
            iterations?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static LongContextSamples? CreateLong(
        RooflineOptions settings,
        EngineOptions options,
        CachedDecoder decoder,
        LinearLayers layers,
        ComputeSettings compute,
        int firstSlot,
        int length
    ) =>
        settings.LongSequenceCount == 0
            ? null
            : new LongContextSamples(
                new AttentionProbe(decoder, compute.Type, compute.Device, firstSlot, settings.LongSequenceCount, length),
                layers,
                settings.LongSequenceCount,
                length,
                options.PrefillTokenBudget
            );

    private static void RequireContext(ModelFolder folder, RooflineOptions settings)
    {
        var needed = settings.ContextLength + Math.Max(settings.Cases.Max(@case => @case.RowsPerSequence), IterationProbe.ExtraLength);
        if (needed > folder.Config.ContextLength)
        {
            throw new ModelLoadException(
                $"{folder.Path} allows {folder.Config.ContextLength} tokens, but measuring at a context of {settings.ContextLength} "
                    + $"takes {needed}."
            );
        }
    }
}
