using Dsde.Engine;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Benchmarks;

/// <summary>
/// Measures policies side by side on one engine: in every round each policy runs the whole workload, in an order that shifts from round to
/// round, so that a machine that gets busier or hotter slows all of them.
/// </summary>
internal sealed class PolicyComparison(IGenerationEngine engine, TimeProvider time, BenchSettings settings, BenchProgress progress)
{
    private const int WarmUpTokens = 16;

    /// <summary>Lets every policy work a little, unmeasured: memory is touched, code compiled and cost models begun.</summary>
    public async Task WarmUpAsync(BenchWorkload workload, CancellationToken cancellationToken)
    {
        var few = workload
            .Requests.Take(2 * engine.Description.BatchSize)
            .Select(request => request with { MaxTokens = Math.Min(request.MaxTokens, WarmUpTokens) })
            .ToList();
        foreach (var policy in settings.Policies)
        {
            await Task.WhenAll(few.Select(request => engine.GenerateAsync(policy.Apply(request), cancellationToken)));
        }
    }

    /// <summary>One row per policy.</summary>
    public async Task<IReadOnlyList<BenchRow>> MeasureAsync(
        BenchWorkload workload,
        double? temperature,
        CancellationToken cancellationToken
    )
    {
        var requests = workload.With(temperature, settings).Requests;
        var samples = settings.Policies.Select(_ => new List<RunSample>()).ToList();
        for (var round = 0; round < settings.Rounds; round++)
        {
            for (var turn = 0; turn < settings.Policies.Count; turn++)
            {
                var index = (round + turn) % settings.Policies.Count;
                progress.Begin(engine.Description.BatchSize, temperature, workload, settings.Policies[index].ToString());
                var mine = requests.Select(settings.Policies[index].Apply).ToList();
                samples[index].Add(await RunAsync(mine, cancellationToken));
            }
        }

        return BenchRow.Create(engine.Description.BatchSize, temperature, workload, settings.Policies, samples);
    }

    /// <summary>Runs the requests as often as a round takes.</summary>
    private async Task<RunSample> RunAsync(IReadOnlyList<GenerationRequest> requests, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var results = new List<GenerationResult>();
        do
        {
            results.AddRange(await Task.WhenAll(requests.Select(request => engine.GenerateAsync(request, cancellationToken))));
        } while (time.GetElapsedTime(started).TotalSeconds < settings.RoundSeconds);

        return RunSample.Create(results, time.GetElapsedTime(started));
    }
}
