using Dsde.Engine.Sampling;
using Dsde.Speculation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Engine.Benchmarking;

/// <summary>Times autoregressive iterations of a whole engine: the target's pass, sampling, telemetry and bookkeeping.</summary>
internal sealed class IterationProbe : IAsyncDisposable
{
    private const int OutputTokenCount = 33; // 32 iterations: the prompt's pass emits the first token

    private readonly GenerationEngine _engine;
    private readonly int _contextLength;

    public IterationProbe(EngineOptions options, int batchSize, int contextLength)
    {
        _contextLength = contextLength;
        var plain = new EngineOptions
        {
            Target = options.Target,
            Draft = null,
            DataType = options.DataType,
            Device = options.Device,
            CpuKernels = options.CpuKernels,
            Threads = options.Threads,
            Numerics = options.Numerics,
            Policy = PolicyConfiguration.Autoregressive.ToString(),
            BatchSize = batchSize,
            MaxLength = contextLength + OutputTokenCount,
            PrefillTokenBudget = batchSize * contextLength, // so that all sequences begin to decode together
        };
        _engine = GenerationEngine.Load(plain, TimeProvider.System, NullLoggerFactory.Instance);
    }

    /// <summary>Tokens of context that an iteration needs besides what it starts with.</summary>
    public static int ExtraLength => OutputTokenCount;

    /// <summary>Mean milliseconds of an iteration with so many sequences, greedy.</summary>
    public double Measure(int sequenceCount, CancellationToken cancellationToken)
    {
        var requests = Enumerable
            .Range(0, sequenceCount)
            .Select(index => new GenerationRequest
            {
                PromptTokenIds =
                [
                    .. Enumerable
                        .Range(0, _contextLength - (OutputTokenCount / 2))
                        .Select(position => (index + (position * 31)) % _engine.Description.VocabularySize),
                ],
                MaxTokens = OutputTokenCount,
                IgnoreEos = true,
                Sampling = new SamplingParameters { Temperature = 0 },
            });
        var results = Task.WhenAll(requests.Select(request => _engine.GenerateAsync(request, cancellationToken))).GetAwaiter().GetResult();
        var last = results[^1].Trace; // it joined last, so that it saw the full batch
        return (last.Times.DraftMs + last.Times.VerifyMs + last.Times.SamplingMs) / last.Iterations.BatchSize.Length;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _engine.DisposeAsync();
}
