using System.Diagnostics;
using Dsde.Engine;

namespace Dsde.Benchmarks.Pipeline;

/// <summary>An engine that is lent to a worker: it outlives it, and notes when the first request came.</summary>
/// <param name="inner">Stays its owner's.</param>
/// <param name="time">The clock.</param>
internal sealed class BenchEngine(IGenerationEngine inner, TimeProvider time) : IGenerationEngine
{
    private Moment? _first;

    /// <inheritdoc/>
    public EngineDescription Description => inner.Description;

    /// <inheritdoc/>
    public IPromptEncoder PromptEncoder => inner.PromptEncoder;

    /// <inheritdoc/>
    public CancellationToken BrokenDown => inner.BrokenDown;

    /// <summary>When the first request came; now if none has.</summary>
    public Moment First => Volatile.Read(ref _first) ?? Moment.Now(time);

    /// <inheritdoc/>
    public EngineSnapshot GetSnapshot() => inner.GetSnapshot();

    /// <inheritdoc/>
    public Task<GenerationResult> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _first) is null)
        {
            Interlocked.CompareExchange(ref _first, Moment.Now(time), null);
        }

        return inner.GenerateAsync(request, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A moment of this process.</summary>
    /// <param name="Timestamp">Of the clock.</param>
    /// <param name="ProcessorTime">Used by this process until then.</param>
    internal sealed record Moment(long Timestamp, TimeSpan ProcessorTime)
    {
        public static Moment Now(TimeProvider time)
        {
            using var process = Process.GetCurrentProcess();
            return new Moment(time.GetTimestamp(), process.TotalProcessorTime);
        }
    }
}
