using Dsde.Batches.Reporting;
using Dsde.Engine;
using Dsde.Pipeline.Telemetry;
using Dsde.Speculation;
using Dsde.Statistics;

namespace Dsde.Benchmarks;

/// <summary>
/// Measures what speculation gains: the same requests on the same engine at the same batch size, with their policy and autoregressively,
/// in turn, so that a machine that gets busier slows both; the ratio is taken of the medians.
/// </summary>
internal sealed class SpeedUpMeasurement(IGenerationEngine engine, TimeProvider time)
{
    private const int FewestRequests = 8;
    private static readonly PolicyConfiguration Autoregressive = PolicyConfiguration.Parse("autoregressive");

    /// <summary>How many requests to measure with, of those there are: with fewer than the batch size no batch would be full.</summary>
    /// <param name="batchSize">Most sequences at once.</param>
    public static int SampleSize(int batchSize) => Math.Max(FewestRequests, batchSize);

    /// <summary>
    /// Runs <paramref name="requests"/> together, at most <paramref name="rounds"/> times each way; no round but the first is started after
    /// <paramref name="limit"/>.
    /// </summary>
    public async Task<SpeedUpSample> MeasureAsync(
        IReadOnlyList<GenerationRequest> requests,
        int rounds,
        TimeSpan limit,
        CancellationToken cancellationToken
    )
    {
        var withoutSpeculation = requests.Select(request => request with { Policy = Autoregressive }).ToList();
        var (with, without) = (new List<double>(), new List<double>());
        var started = time.GetTimestamp();
        do
        {
            without.Add(await RunAsync(withoutSpeculation, cancellationToken));
            with.Add(await RunAsync(requests, cancellationToken));
        } while (with.Count < rounds && time.GetElapsedTime(started) < limit);

        return new SpeedUpSample(with.Count, Samples.Median(without), Samples.Median(with));
    }

    /// <summary>Milliseconds per emitted token: with sampling, the two may draw outputs of different length.</summary>
    private async Task<double> RunAsync(IReadOnlyList<GenerationRequest> requests, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var results = await Task.WhenAll(requests.Select(request => engine.GenerateAsync(request, cancellationToken)));
        return time.GetElapsedTime(started).TotalMilliseconds / Math.Max(1, results.Sum(result => result.TokenIds.Count));
    }
}

/// <summary>One measurement of <see cref="SpeedUpMeasurement"/>.</summary>
/// <param name="Rounds">How often each way was run.</param>
/// <param name="AutoregressiveMsPerToken">Median over the rounds.</param>
/// <param name="PolicyMsPerToken">Median over the rounds.</param>
internal readonly record struct SpeedUpSample(int Rounds, double AutoregressiveMsPerToken, double PolicyMsPerToken)
{
    /// <summary>Above 1 where speculation is faster.</summary>
    public double SpeedUp => AutoregressiveMsPerToken / PolicyMsPerToken;

    /// <summary>
    /// The speed-up of several workloads together: the time that all their tokens take autoregressively by the time they take with their
    /// policy.
    /// </summary>
    /// <param name="workloads">Each with all tokens that it has, not only those of its sample.</param>
    /// <returns>Null if there are no tokens.</returns>
    public static double? Overall(IReadOnlyCollection<(long Tokens, SpeedUpSample Sample)> workloads)
    {
        var autoregressiveMs = workloads.Sum(workload => workload.Tokens * workload.Sample.AutoregressiveMsPerToken);
        var policyMs = workloads.Sum(workload => workload.Tokens * workload.Sample.PolicyMsPerToken);
        return policyMs > 0 ? autoregressiveMs / policyMs : null;
    }
}
