using System.Globalization;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Tests;

/// <summary>The analysts' views, over traces whose numbers are worked out by hand.</summary>
public abstract partial class JobStoreContract
{
    /// <summary>
    /// Three iterations: 2 of 3 proposals accepted, none of 2, the only one; so 1 + 3 + 1 + 2 = 7 tokens, of which the first is the
    /// prompt's.
    /// </summary>
    private static JobTrace HandMadeTrace() =>
        TestJobs.Trace() with
        {
            Iterations = 3,
            SpeculatingIterations = 3,
            CompletionTokens = 7,
            Proposed = 6,
            Accepted = 3,
            IterationLength = [3, 2, 1],
            IterationAccepted = [2, 0, 1],
            Forced = 0,
            IterationForced = null,
            IterationWvir = [null, 2, 1],
            IterationScaleFactor = [null, 1e7f, 5e-5f],
            ProposalKld = [0.1f, 0.2f, 0.6f, 1, 3, 0.05f],
            ProposalBeta = [0.9f, 0.8f, 0.4f, 0.2f, 0.1f, 1],
            ProposalDraftEntropy = [1, 1, 2, 3, 3, 0.5f],
            ProposalOnPath = [true, true, true, true, false, true],
        };

    [Fact]
    public async Task Each_iteration_says_at_which_token_it_begins_and_what_its_proposals_measured()
    {
        await StoreAsync(HandMadeTrace());

        (await RowsAsync("SELECT iteration, position, speculation_length, accepted FROM iteration_telemetry ORDER BY iteration")).ShouldBe([
            "1 2 3 2",
            "2 5 2 0",
            "3 6 1 1",
        ]);
        (await NumberAsync("SELECT mean_kld FROM iteration_telemetry WHERE iteration = 1")).ShouldBe(0.3, 1e-6);
        (await NumberAsync("SELECT mean_beta FROM iteration_telemetry WHERE iteration = 2")).ShouldBe(0.15, 1e-6);
        (await NumberAsync("SELECT mean_draft_entropy FROM iteration_telemetry WHERE iteration = 3")).ShouldBe(0.5, 1e-6);
        (await NumberAsync("SELECT batch_rows FROM iteration_telemetry WHERE iteration = 3")).ShouldBe(40);
        (await RowsAsync("SELECT DISTINCT workload, policy, temperature, worker_id, state FROM iteration_telemetry")).ShouldBe([
            "stories dsde 0 worker-1 completed",
        ]);
    }

    [Fact]
    public async Task Each_proposal_says_its_iteration_its_place_and_whether_it_was_accepted()
    {
        await StoreAsync(HandMadeTrace());

        (
            await RowsAsync(
                "SELECT proposal, iteration, depth, position, CASE WHEN is_accepted THEN 'yes' ELSE 'no' END, "
                    + "CASE WHEN on_path THEN 'on' ELSE 'off' END FROM token_telemetry ORDER BY proposal"
            )
        ).ShouldBe(["1 1 1 2 yes on", "2 1 2 3 yes on", "3 1 3 4 no on", "4 2 1 5 no on", "5 2 2 6 no off", "6 3 1 6 yes on"]);
        (await NumberAsync("SELECT sum(kld) FROM token_telemetry")).ShouldBe(4.95, 1e-6);
        (await NumberAsync("SELECT beta FROM token_telemetry WHERE proposal = 4")).ShouldBe(0.2, 1e-6);
        (await NumberAsync("SELECT draft_entropy FROM token_telemetry WHERE proposal = 5")).ShouldBe(3, 1e-6);
    }

    [Fact]
    public async Task What_a_format_forced_stands_before_the_proposals_of_its_iteration_and_counts_as_none()
    {
        await StoreAsync(HandMadeTrace() with { CompletionTokens = 12, Forced = 5, IterationForced = [0, 2, 3] });

        (
            await RowsAsync("SELECT iteration, position, forced, speculation_length, accepted FROM iteration_telemetry ORDER BY iteration")
        ).ShouldBe(["1 2 0 3 2", "2 5 2 2 0", "3 8 3 1 1"]);
        (await RowsAsync("SELECT proposal, iteration, depth, position FROM token_telemetry ORDER BY proposal")).ShouldBe([
            "1 1 1 2",
            "2 1 2 3",
            "3 1 3 4",
            "4 2 1 7",
            "5 2 2 8",
            "6 3 1 11",
        ]);
        (await RowsAsync("SELECT proposed, accepted, forced FROM acceptance_by_policy")).ShouldBe(["6 3 5"]);
    }

    [Fact]
    public async Task A_trace_without_series_has_no_rows_of_iterations_and_counts_in_the_rest()
    {
        await StoreAsync(HandMadeTrace() with { Level = "iterations", ProposalKld = null, ProposalBeta = null, ProposalOnPath = null });
        await StoreAsync(
            HandMadeTrace() with
            {
                Level = "summary",
                IterationLength = null,
                IterationAccepted = null,
                ProposalKld = null,
                ProposalBeta = null,
                ProposalOnPath = null,
            }
        );

        (await NumberAsync("SELECT count(*) FROM iteration_telemetry WHERE speculation_length IS NOT NULL")).ShouldBe(3);
        (await NumberAsync("SELECT count(*) FROM token_telemetry")).ShouldBe(0);
        (await NumberAsync("SELECT jobs FROM acceptance_by_policy")).ShouldBe(2);
    }

    [Fact]
    public async Task Acceptance_is_weighed_both_ways_and_jobs_that_were_cut_short_are_not_counted()
    {
        await StoreAsync(HandMadeTrace());
        await StoreAsync(HandMadeTrace() with { Proposed = 2, Accepted = 2, Iterations = 1, CompletionTokens = 4 });
        await StoreAsync(HandMadeTrace() with { Temperature = 1 });
        var claimed = await ClaimAsync(Guid.NewGuid(), "worker-1");
        await Store.StoreAsync(new CancelledJobEnd(claimed.Lease, "cancelled", [TestJobs.Output("x")], [HandMadeTrace()]), Cancellation);

        (await RowsAsync("SELECT policy, jobs, choices, completion_tokens FROM acceptance_by_policy")).ShouldBe(["dsde 3 3 18"]);
        (await RowsAsync("SELECT workload, temperature, jobs FROM acceptance_by_group ORDER BY temperature")).ShouldBe([
            "stories 0 2",
            "stories 1 1",
        ]);
        (await NumberAsync("SELECT acceptance_rate FROM acceptance_by_group WHERE temperature = 0")).ShouldBe(5.0 / 8, 1e-6);
        (await NumberAsync("SELECT mean_job_acceptance_rate FROM acceptance_by_group WHERE temperature = 0")).ShouldBe(0.75, 1e-6);
        (await NumberAsync("SELECT block_efficiency FROM acceptance_by_group WHERE temperature = 0")).ShouldBe(9.0 / 4, 1e-6);
        (await NumberAsync("SELECT machine_seconds FROM acceptance_by_workload")).ShouldBe(3 * 3.5e-3, 1e-9);
        (await RowsAsync("SELECT jobs, cancelled_jobs, choices, completion_tokens FROM worker_throughput")).ShouldBe(["3 1 4 25"]);
        (await NumberAsync("SELECT tokens_per_busy_second FROM worker_throughput")).ShouldBe(25 / (4 * 3.5e-3), 1e-6);
        (await RowsAsync("SELECT present_seconds FROM worker_throughput")).ShouldBe([""]); // nobody has entered
    }

    [Fact]
    public async Task Throughput_is_over_the_part_of_the_hour_in_which_the_worker_was_there()
    {
        await using (var context = Database.CreateContext())
        {
            var hour = new DateTimeOffset(2026, 1, 2, 3, 0, 0, TimeSpan.Zero);
            context.Workers.Add(
                new Entities.WorkerRow
                {
                    WorkerStartId = TestJobs.StartOf("worker-1"),
                    WorkerId = "worker-1",
                    Host = "host",
                    StartedAt = hour - TimeSpan.FromMinutes(5),
                    SeenAt = hour + TimeSpan.FromMinutes(15),
                }
            );
            await context.SaveChangesAsync(Cancellation);
        }

        await StoreAsync(HandMadeTrace());

        (await NumberAsync("SELECT present_seconds FROM worker_throughput")).ShouldBe(900, 1e-3);
        (await NumberAsync("SELECT tokens_per_present_second FROM worker_throughput WHERE host = 'host'")).ShouldBe(7 / 900.0, 1e-6);
    }

    [Fact]
    public async Task The_parts_of_an_outputs_time_add_up_to_the_time_since_it_was_sent()
    {
        var claimed = await ClaimAsync(Guid.NewGuid(), "worker-1"); // sent 2 s before
        Database.Time.Advance(TimeSpan.FromMilliseconds(500));
        await Store.StoreAsync(TestJobs.Completed(claimed.Lease), Cancellation);

        (await NumberAsync("SELECT queue_ms FROM output_latency")).ShouldBe(2000, 0.1);
        (await NumberAsync("SELECT end_to_end_ms FROM output_latency")).ShouldBe(2500, 0.1);
        (
            await NumberAsync(
                "SELECT queue_ms + outside_ms + waiting_ms + prefill_ms + others_ms + draft_ms + verify_ms + sampling_ms + rest_ms "
                    + "FROM output_latency"
            )
        ).ShouldBe(2500, 0.1);
        (await NumberAsync("SELECT machine_ms FROM output_latency")).ShouldBe(3.5, 1e-6);
    }

    [Fact]
    public async Task Correlation_by_rank_is_not_misled_by_sizes_and_both_come_with_their_number_and_interval()
    {
        var trace = HandMadeTrace() with
        {
            Iterations = 7, // in the last two there is no WVIR, but what stands for it
            IterationLength = [1, 2, 4, 2, 4, 1, 1],
            IterationAccepted = [0, 1, 3, 2, 0, 1, 1],
            IterationWvir = [5, 4, 3, 1, 6, 0, 20],
            IterationScaleFactor = [5e-5f, 1, 2, 1e7f, 3e-5f, null, null],
            IterationWish = [1, 2, 4, 2, 4, 1, 1],
            IterationAllowed = [1, 2, 4, 2, 4, 1, 1],
            IterationDecidedBy = [0, 0, 0, 0, 0, 0, 0],
            IterationPredictedLength = [1, 1, 1, 1, 1, 1, 1],
            IterationCap = [null, null, null, null, null, null, null],
            IterationBatchSize = [1, 1, 1, 1, 1, 1, 1],
            IterationBatchRows = [2, 3, 5, 3, 5, 2, 2],
            IterationDraftMs = [1, 1, 1, 1, 1, 1, 1],
            IterationVerifyMs = [1, 1, 1, 1, 1, 1, 1],
            Proposed = 15,
            ProposalKld = [1, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 5, 5, 6, 7],
            ProposalBeta = [0.1f, 0.2f, 0.2f, 0.3f, 0.3f, 0.3f, 0.3f, 0.4f, 0.4f, 0.5f, 0.5f, 0.5f, 0.5f, 0.6f, 0.7f],
            ProposalDraftEntropy = [5, 4, 4, 3, 3, 3, 3, 2, 2, 1, 1, 1, 1, 0, -1],
            ProposalOnPath = [true, true, true, true, true, true, true, true, true, true, false, false, false, true, true],
        };
        await StoreAsync(trace);

        // Acceptance is 0, 0.5, 0.75, 1, 0, with the ranks 1.5, 3, 4, 5, 1.5; WVIR has the ranks 4, 3, 2, 1, 5.
        const string Wvir = "FROM signal_correlation WHERE signal = 'wvir' AND outcome = 'acceptance'";
        (await RowsAsync($"SELECT workload, policy, temperature, outputs, n {Wvir}")).ShouldBe(["stories dsde 0 1 5"]);
        (await NumberAsync($"SELECT spearman {Wvir}")).ShouldBe(-9.5 / Math.Sqrt(10 * 9.5), 1e-6);
        (await NumberAsync($"SELECT pearson {Wvir}")).ShouldBe(-3.3 / Math.Sqrt(14.8 * 0.8), 1e-5);
        (await NumberAsync($"SELECT spearman_low {Wvir}")).ShouldBe(
            Math.Tanh(Math.Atanh(-9.5 / Math.Sqrt(95)) - (1.96 * Math.Sqrt((1 + (9.5 * 9.5 / 95 / 2)) / 2))),
            1e-6
        );
        (await NumberAsync($"SELECT pearson_high {Wvir}")).ShouldBeGreaterThan(await NumberAsync($"SELECT pearson {Wvir}"));
        (await NumberAsync("SELECT spearman FROM signal_correlation WHERE signal = 'kld' AND outcome = 'beta'")).ShouldBe(1, 1e-9);
        (await NumberAsync("SELECT pearson FROM signal_correlation WHERE signal = 'draft_entropy' AND outcome = 'beta'")).ShouldBe(
            -1,
            1e-6
        );
        (await NumberAsync("SELECT spearman FROM signal_correlation WHERE signal = 'scale_factor'")).ShouldBe(9.5 / Math.Sqrt(95), 1e-6);
        (await NumberAsync("SELECT pearson FROM signal_correlation WHERE signal = 'scale_factor'")).ShouldBeLessThan(0.7);
    }

    [Fact]
    public async Task Every_attempt_is_in_one_view_whether_it_was_the_last_or_not()
    {
        var id = Guid.NewGuid();
        await Store.ReleaseAsync((await ClaimAsync(id, "worker-1")).Lease, Cancellation);
        (await RowsAsync("SELECT attempt, outcome FROM job_attempts")).ShouldBe(["1 handed_back"]);
        var claimed = await ClaimAsync(id, "worker-2");
        (await RowsAsync("SELECT attempt, outcome FROM job_attempts ORDER BY attempt")).ShouldBe(["1 handed_back", "2 running"]);
        await Store.StoreAsync(TestJobs.Completed(claimed.Lease), Cancellation);

        (await RowsAsync("SELECT attempt, worker_id, outcome FROM job_attempts ORDER BY attempt")).ShouldBe([
            "1 worker-1 handed_back",
            "2 worker-2 completed",
        ]);
    }

    private async Task StoreAsync(JobTrace trace)
    {
        var claimed = await ClaimAsync(Guid.NewGuid(), "worker-1");
        (await Store.StoreAsync(TestJobs.Completed(claimed.Lease) with { Traces = [trace] }, Cancellation)).ShouldNotBeNull();
    }

    private async Task<double> NumberAsync(string sql) => double.Parse((await RowsAsync(sql))[0], CultureInfo.InvariantCulture);

    /// <summary>The rows that the database answers, their values separated by blanks; null is empty.</summary>
    private async Task<List<string>> RowsAsync(string sql)
    {
        await using var context = Database.CreateContext();
        await context.Database.OpenConnectionAsync(Cancellation);
        await using var command = context.Database.GetDbConnection().CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var rows = new List<string>();
        while (await reader.ReadAsync(Cancellation))
        {
            var values = Enumerable
                .Range(0, reader.FieldCount)
                .Select(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture));
            rows.Add(string.Join(' ', values));
        }

        return rows;
    }
}
