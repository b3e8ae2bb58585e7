using System.Globalization;
using Dsde.Engine.Sampling;
using Dsde.Speculation;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>
/// What reproducible texts cost: acceptance of coupled and of rejection sampling on the demo pair and the sample prompts. The default mode
/// rests on it (docs/sampling.md). With DSDE_SLOW_TESTS=1 all prompts run to their end with two seeds each, and the numbers are those of
/// the docs.
/// </summary>
public sealed class SamplingModeAcceptanceTests(ITestOutputHelper output)
{
    /// <summary>Theory: 1 − TV against (1 − TV)/(1 + TV) at worst; in practice nearly as much.</summary>
    private const double SmallestShare = 0.85;

    private static readonly bool Slow = Environment.GetEnvironmentVariable("DSDE_SLOW_TESTS") == "1";

    [Fact]
    public async Task Coupled_sampling_accepts_nearly_as_much_as_rejection_sampling()
    {
        await using var engine = Load(DemoSamples.Target, DemoSamples.Draft, "static:4", batchSize: 16);
        var samples = DemoSamples.Read(engine.PromptEncoder);
        samples = Slow
            ? [.. samples, .. samples]
            : [.. samples.Where((_, i) => i % 4 == 0).Select(request => request with { MaxTokens = 32 })];

        foreach (var policy in (string[])["static:4", "dsde"])
        {
            foreach (var temperature in (float[])[0.7f, 1f])
            {
                var rejection = await Measure(SamplingMode.Rejection);
                var coupled = await Measure(SamplingMode.Coupled);
                coupled.ShouldBeGreaterThan(rejection * SmallestShare);

                async Task<double> Measure(SamplingMode mode)
                {
                    var results = await engine.GenerateAllAsync(
                        samples.Select(
                            (request, i) =>
                                request with
                                {
                                    Policy = PolicyConfiguration.Parse(policy),
                                    Sampling = new SamplingParameters
                                    {
                                        Temperature = temperature,
                                        Mode = mode,
                                        Seed = (ulong)i,
                                    },
                                }
                        )
                    );
                    return Tell(policy, temperature, mode, [.. results.Select(result => result.Trace)]);
                }
            }
        }
    }

    private double Tell(string policy, float temperature, SamplingMode mode, Engine.Telemetry.GenerationTrace[] traces)
    {
        var accepted = traces.Sum(trace => trace.Iterations.Accepted.Sum());
        var proposed = traces.Sum(trace => trace.Proposed);
        var emitted = traces.Sum(trace => trace.CompletionTokens - 1);
        var iterations = traces.Sum(trace => trace.Iterations.Accepted.Length);
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{policy} T={temperature} {mode}: acceptance {(double)accepted / proposed:F4}, block efficiency "
                    + $"{(double)emitted / iterations:F3}, {proposed} proposed, {emitted} emitted"
            )
        );
        return (double)accepted / proposed;
    }
}
