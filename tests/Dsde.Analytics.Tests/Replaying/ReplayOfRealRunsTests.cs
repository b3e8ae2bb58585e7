using Dsde.Analytics.Positions;
using Dsde.Analytics.Replaying;
using Dsde.Persistence.Analysis;
using Dsde.Speculation;

namespace Dsde.Analytics.Tests.Replaying;

/// <summary>Replays beside the same policies on the same prompts, really run.</summary>
public sealed class ReplayOfRealRunsTests(DemoRun demo) : IClassFixture<DemoRun>
{
    [Theory]
    [InlineData("static:4", 0f)]
    [InlineData("static:4", 1f)]
    [InlineData("dsde-paper", 0f)]
    [InlineData("dsde-reference-nocap", 0.7f)]
    [InlineData("adaedl", 0f)]
    [InlineData("adaedl", 1f)]
    public async Task Replaying_the_policy_that_ran_gives_back_its_own_iterations(string policy, float temperature)
    {
        var traces = await demo.RunAsync(policy, temperature);

        var replayed = Replay(traces, policy);

        foreach (var (stored, sequence) in traces.Zip(replayed))
        {
            Compare(stored, sequence);
        }
    }

    [Theory]
    [InlineData("static:2", 0f)]
    [InlineData("static:2", 1f)]
    [InlineData("static:6", 0f)]
    [InlineData("static:6", 0.7f)]
    [InlineData("autoregressive", 0f)]
    [InlineData("adaedl", 0f)]
    [InlineData("dsde-paper", 0f)]
    public async Task Replaying_another_policy_equals_really_running_it_where_nothing_is_unknown(string policy, float temperature)
    {
        var traces = await demo.RunAsync("static:4", temperature);
        var really = await demo.RunAsync(policy, temperature);

        var replayed = Replay(traces, policy);

        var compared = 0;
        foreach (var (stored, sequence) in really.Zip(replayed))
        {
            if (sequence.UnknownBits.Count + sequence.UnknownSignals == 0)
            {
                Compare(stored, sequence);
                compared++;
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{policy} at {temperature}: {compared} of {really.Count} outputs");
        if (!policy.StartsWith("dsde", StringComparison.Ordinal) && policy != "adaedl")
        {
            compared.ShouldBeGreaterThan(really.Count / 2);
        }
    }

    [Theory]
    [InlineData("static:4", "static:2", 0f)]
    [InlineData("static:4", "static:6", 0f)]
    [InlineData("static:4", "static:6", 1f)]
    [InlineData("static:4", "dsde-paper", 0f)]
    [InlineData("static:4", "dsde-paper", 1f)]
    [InlineData("static:4", "dsde-reference", 0.7f)]
    [InlineData("static:4", "dsde-paper-onpath", 0f)]
    [InlineData("static:4", "adaedl", 0f)]
    [InlineData("static:4", "adaedl", 1f)]
    [InlineData("autoregressive", "static:4", 0f)]
    [InlineData("autoregressive", "adaedl", 0.7f)]
    public async Task With_a_survey_replaying_another_policy_equals_really_running_it_throughout(
        string ran,
        string policy,
        float temperature
    )
    {
        var traces = await demo.RunAsync(ran, temperature, surveys: true);
        var really = await demo.RunAsync(policy, temperature);

        var replayed = Replay(traces, policy);

        foreach (var (stored, sequence) in really.Zip(replayed))
        {
            sequence.UnknownBits.ShouldBeEmpty();
            sequence.UnknownSignals.ShouldBe(0);
            Compare(stored, sequence);
        }
    }

    private static IReadOnlyList<ReplayedSequence> Replay(IReadOnlyList<StoredTrace> traces, string policy)
    {
        var outputs = traces.Select(PositionConversion.ToPositions).OfType<PositionTrace>().ToList();
        outputs.Count.ShouldBe(traces.Count);
        return new Replay([new ReplaySource(outputs, 1, null, null)], 10).Trace(PolicyConfiguration.Parse(policy));
    }

    private static void Compare(StoredTrace stored, ReplayedSequence sequence)
    {
        var trace = stored.Trace;
        var (lengths, accepted) = (trace.IterationLength.ShouldNotBeNull(), trace.IterationAccepted.ShouldNotBeNull());
        sequence.Iterations.Select(iteration => iteration.Proposed).ShouldBe(lengths, stored.CustomId);

        // What was accepted behind the end, which nothing depends on, is the only thing that a replay may not know.
        sequence.Iterations.SkipLast(1).Select(iteration => iteration.Accepted).ShouldBe(accepted.SkipLast(1), stored.CustomId);
        sequence.Kept.ShouldBe(trace.Accepted, stored.CustomId);
        sequence.Committed.ShouldBe(trace.CompletionTokens, stored.CustomId);
        var cap = trace.IterationPredictedLength.ShouldNotBeNull();
        sequence
            .Iterations.Select(iteration => float.IsNaN(iteration.Plan.PredictedLength) ? (float?)null : iteration.Plan.PredictedLength)
            .ShouldBe(cap, stored.CustomId);
    }
}
