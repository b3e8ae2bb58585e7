using Dsde.Engine.Tests.Batching;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Sequences;

/// <summary>
/// Where the time of requests goes, with a clock that only passes move: 10 ms each of the target, 1 ms each of the draft.
/// </summary>
public sealed class SequenceTimesTests(TestPair models) : IClassFixture<TestPair>
{
    [Theory]
    [InlineData("static:3")]
    [InlineData("dsde")]
    [InlineData("adaedl")]
    [InlineData("autoregressive")]
    public void The_shares_of_all_requests_add_up_to_the_time_of_the_machine_and_the_parts_of_each_to_its_own(string policy)
    {
        using var loop = Load(policy, batchSize: 3, budget: 8);
        var start = loop.Time.GetTimestamp();
        var sequences = Prompts(3).Select(prompt => loop.Add(Greedy(prompt, 20))).ToList();
        loop.Step();
        loop.Step();
        sequences.AddRange(Prompts(7).Skip(3).Select(prompt => loop.Add(Greedy(prompt, 30)))); // some wait, some hold up others

        var times = loop.RunToEnd([.. sequences]).Select(result => result.Trace.Times).ToList();

        var machineMs = loop.Time.GetElapsedTime(start).TotalMilliseconds;
        times.Sum(time => time.PrefillShareMs + time.DraftShareMs + time.VerifyShareMs + time.SamplingShareMs).ShouldBe(machineMs, 1e-6);
        times.ShouldAllBe(time => time.RestMs < 1e-6);
        foreach (var time in times)
        {
            (time.WaitingMs + time.PrefillMs + time.OthersMs + time.DraftMs + time.VerifyMs + time.SamplingMs).ShouldBe(time.TotalMs, 1e-6);
        }

        times.ShouldContain(time => time.OthersMs > 0);
        times.ShouldContain(time => time.WaitingMs > 0);
    }

    [Fact]
    public void A_request_alone_bears_its_passes_whole_and_has_its_first_token_after_the_prompts()
    {
        using var loop = Load("static:3", batchSize: 1, budget: 512);

        var times = loop.RunToEnd(loop.Add(Greedy([1, 2, 3], 20)))[0].Trace.Times;

        times.FirstTokenMs.ShouldBe(11);
        (times.PrefillShareMs, times.DraftShareMs, times.VerifyShareMs).ShouldBe((times.PrefillMs, times.DraftMs, times.VerifyMs));
        times.OthersMs.ShouldBe(0);
    }

    [Fact]
    public void The_rows_of_an_iteration_are_those_of_its_whole_batch()
    {
        using var loop = Load("static:3", batchSize: 2, budget: 512);
        var traces = loop.RunToEnd([.. Prompts(2).Select(prompt => loop.Add(Greedy(prompt, 20)))]).Select(result => result.Trace).ToList();

        traces[0].Iterations.BatchRows[0].ShouldBe(8);
        traces[0].Iterations.BatchRows.ShouldAllBe(rows => rows >= 1 && rows <= 8);
    }

    [Fact]
    public void A_request_that_goes_on_from_a_checkpoint_keeps_the_time_of_its_first_token()
    {
        using var loop = Load("static:3", batchSize: 1, budget: 512);
        var control = new GenerationControl();
        var sequence = loop.Add(Greedy([1, 2, 3], 40) with { Control = control });
        loop.Step();
        loop.Step();
        control.Suspend();
        var earlier = loop.RunToEnd(sequence)[0];

        loop.Time.Advance(TimeSpan.FromSeconds(5)); // nobody's
        var times = loop.RunToEnd(loop.Add(Greedy([1, 2, 3], 40) with { ResumeFrom = earlier.Checkpoint }))[0].Trace.Times;

        times.FirstTokenMs.ShouldBe(11);
        times.TotalMs.ShouldBeGreaterThan(earlier.Trace.Times.TotalMs);
        times.TotalMs.ShouldBeLessThan(5000);
        double.IsFinite(times.PrefillShareMs).ShouldBeTrue();
    }

    private LoopUnderTest Load(string policy, int batchSize, int budget)
    {
        var loop = new LoopUnderTest(models.Target, models.Draft, batchSize, budget, policy);
        loop.Target.BeforePass = _ => loop.Time.Advance(TimeSpan.FromMilliseconds(10));
        loop.Draft.BeforePass = _ => loop.Time.Advance(TimeSpan.FromMilliseconds(1));
        return loop;
    }
}
