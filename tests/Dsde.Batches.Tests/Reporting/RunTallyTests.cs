using Dsde.Batches.Reporting;
using Microsoft.Extensions.Time.Testing;

namespace Dsde.Batches.Tests.Reporting;

public sealed class RunTallyTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RunTally _tally;

    public RunTallyTests() => _tally = new RunTally(_time);

    [Fact]
    public void Rates_are_of_summed_counts_not_means_of_rates()
    {
        _tally.Add(Ends.Completed(workload: "a", tokens: 11, iterations: 2, proposed: 10, accepted: 9, meanKld: 0.1));
        _tally.Add(Ends.Completed(workload: "a", tokens: 5, iterations: 3, proposed: 30, accepted: 1, meanKld: 0.5));

        var row = Rows().Rows.ShouldHaveSingleItem();

        row.CompletionTokens.ShouldBe(16);
        row.AcceptanceRate.ShouldBe(0.25);
        row.BlockEfficiency.ShouldBe(14 / 5.0); // the first token of each job comes of its prompt's pass
        row.MeanKld.ShouldNotBeNull().ShouldBe(0.4, 1e-12);
        row.TokensPerSecond.ShouldBe(1.6);
    }

    [Fact]
    public void Latencies_are_of_the_nearest_rank()
    {
        foreach (var latency in Enumerable.Range(1, 20).Reverse())
        {
            _tally.Add(Ends.Completed(latencyMs: latency));
        }

        var overall = Rows().Overall;

        overall.P50LatencyMs.ShouldBe(10);
        overall.P95LatencyMs.ShouldBe(19);
    }

    [Fact]
    public void Failed_jobs_count_as_jobs_and_nothing_else()
    {
        _tally.Add(Ends.Completed(workload: "a"));
        _tally.Add(Ends.Failed(workload: "b"));
        _tally.Add(Ends.Failed());

        var (rows, overall) = Rows();

        rows.Select(row => (row.Workload, row.JobCount, row.FailedCount)).ShouldBe([("(none)", 1, 1), ("a", 1, 0), ("b", 1, 1)]);
        rows[2].AcceptanceRate.ShouldBeNull();
        rows[2].P50LatencyMs.ShouldBeNull();
        (overall.JobCount, overall.FailedCount, overall.BlockEfficiency).ShouldBe((3, 2, 4.0));
    }

    [Fact]
    public void Autoregressive_jobs_have_no_acceptance_rate_and_one_token_per_pass()
    {
        _tally.Add(Ends.Completed(tokens: 9, iterations: 8, proposed: 0, accepted: 0, meanKld: null));

        var overall = Rows().Overall;

        overall.AcceptanceRate.ShouldBeNull();
        overall.MeanKld.ShouldBeNull();
        overall.BlockEfficiency.ShouldBe(1);
    }

    [Fact]
    public void Progress_is_what_has_ended_since_the_start()
    {
        _tally.Sample().SpeculationLength.ShouldBeNull();
        _time.Advance(TimeSpan.FromSeconds(2));
        _tally.Add(Ends.Completed(tokens: 9, iterations: 2, proposed: 8, accepted: 6));
        _tally.Add(Ends.Failed());

        _tally.Sample().ShouldBe(new ProgressSample(Ended: 2, Failed: 1, TokensPerSecond: 4.5, AcceptanceRate: 0.75, SpeculationLength: 4));
    }

    [Fact]
    public void Jobs_that_had_ended_before_the_start_count_as_ended_and_not_for_the_rate()
    {
        _time.Advance(TimeSpan.FromSeconds(2));
        _tally.AddEndedBefore(2);
        (_tally.Sample().Ended, _tally.Sample().TokensPerSecond).ShouldBe((2, 0));

        _tally.Add(Ends.Completed(tokens: 10));

        (_tally.Sample().Ended, _tally.Sample().TokensPerSecond).ShouldBe((3, 5));
        Rows().Overall.CompletionTokens.ShouldBe(10);
    }

    [Fact]
    public void Tokens_are_counted_by_workload()
    {
        _tally.Add(Ends.Completed(workload: "a", tokens: 10));
        _tally.Add(Ends.Completed(workload: "a", tokens: 5));
        _tally.Add(Ends.Completed(tokens: 3));
        _tally.Add(Ends.Failed(workload: "b"));

        new[] { "a", "b", RunTally.LabelOf(null), "nobody's" }.Select(_tally.CountTokens).ShouldBe([15, 0, 3, 0]);
    }

    [Fact]
    public void Measured_speed_ups_stand_in_their_rows()
    {
        _tally.Add(Ends.Completed(workload: "a"));
        _tally.Add(Ends.Completed(workload: "b"));

        var (rows, overall) = _tally.ToRows(TimeSpan.FromSeconds(10), new Dictionary<string, double> { ["a"] = 1.5, [""] = 1.2 });

        rows.Select(row => row.SpeedUp).ShouldBe([1.5, null]);
        overall.SpeedUp.ShouldBe(1.2);
    }

    private (IReadOnlyList<WorkloadRow> Rows, WorkloadRow Overall) Rows() =>
        _tally.ToRows(TimeSpan.FromSeconds(10), new Dictionary<string, double>());

    [Fact]
    public void Jobs_for_which_the_guard_decided_are_counted_and_those_of_them_for_which_speculation_paid()
    {
        _tally.Add(Ends.Completed(workload: "a", paid: true));
        _tally.Add(Ends.Completed(workload: "a", paid: false));
        _tally.Add(Ends.Completed(workload: "a", paid: null));
        _tally.Add(Ends.Completed(workload: "b", paid: true));

        var (rows, overall) = _tally.ToRows(TimeSpan.FromSeconds(1), new Dictionary<string, double>());

        rows.Select(row => (row.PaidCount, row.DecidedCount)).ShouldBe([(1, 2), (1, 1)]);
        (overall.PaidCount, overall.DecidedCount).ShouldBe((2, 3));
    }
}
