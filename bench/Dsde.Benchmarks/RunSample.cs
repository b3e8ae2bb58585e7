using Dsde.Batches.Reporting;
using Dsde.Engine;
using Dsde.Pipeline.Telemetry;
using Dsde.Statistics;

namespace Dsde.Benchmarks;

/// <summary>
/// One pass of a workload under one policy. Counts are sums over its requests; times of passes count once per request that took part.
/// </summary>
internal sealed record RunSample
{
    /// <summary>Emitted tokens per second of wall-clock time, prompts included.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Median time of a request from its slot to its end, in milliseconds.</summary>
    public required double P50LatencyMs { get; init; }

    /// <summary>The same that 95 % don't exceed.</summary>
    public required double P95LatencyMs { get; init; }

    /// <summary>Tokens emitted by iterations: all but each request's first, which its prompt's pass gives.</summary>
    public required long IterationTokens { get; init; }

    /// <summary>Iterations.</summary>
    public required long Iterations { get; init; }

    /// <summary>Proposed tokens.</summary>
    public required long Proposed { get; init; }

    /// <summary>Accepted and kept.</summary>
    public required long Accepted { get; init; }

    /// <summary>In draft passes.</summary>
    public required double DraftMs { get; init; }

    /// <summary>In target passes, prompts excluded.</summary>
    public required double VerifyMs { get; init; }

    /// <summary>In the rest of iterations: acceptance, measurement, policy, telemetry.</summary>
    public required double OtherMs { get; init; }

    /// <summary>Sums up what came of the requests.</summary>
    public static RunSample Create(IReadOnlyList<GenerationResult> results, TimeSpan elapsed)
    {
        var latencies = results.Select(result => result.Trace.Times.TotalMs - result.Trace.Times.WaitingMs).ToList();
        long tokens = results.Sum(result => result.TokenIds.Count);
        return new RunSample
        {
            TokensPerSecond = tokens / elapsed.TotalSeconds,
            P50LatencyMs = Samples.Quantile(latencies, 0.5),
            P95LatencyMs = Samples.Quantile(latencies, 0.95),
            IterationTokens = tokens - results.Count,
            Iterations = results.Sum(result => (long)result.Trace.Iterations.SpeculationLength.Length),
            Proposed = results.Sum(result => (long)result.Trace.Proposed),
            Accepted = results.Sum(result => (long)result.Trace.Accepted),
            DraftMs = results.Sum(result => result.Trace.Times.DraftMs),
            VerifyMs = results.Sum(result => result.Trace.Times.VerifyMs),
            OtherMs = results.Sum(result => result.Trace.Times.SamplingMs),
        };
    }
}
