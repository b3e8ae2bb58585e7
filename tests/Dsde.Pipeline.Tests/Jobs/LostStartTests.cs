using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>Jobs whose workers die of them, and those that were beside them.</summary>
public sealed class LostStartTests : IAsyncLifetime
{
    private readonly TaskCompletionSource<GenerationResult> _never = new();
    private JobLife? _life;

    private JobLife Life => _life ?? throw new InvalidOperationException("Not initialised.");

    public async ValueTask InitializeAsync() => _life = await JobLife.CreateAsync();

    public ValueTask DisposeAsync() => Life.DisposeAsync();

    [Fact]
    public async Task A_killer_runs_alone_is_given_up_after_three_starts_lost_there_and_its_neighbour_passes()
    {
        var (killer, neighbour) = (JobLife.Job() with { Prompt = "kill" }, JobLife.Job());
        for (var start = 0; start < 3; start++)
        {
            await Life.ClaimAsync(neighbour);
            await Life.ClaimAndDieAsync(killer);
        }

        var bystander = JobLife.Job() with { Prompt = "b" };
        for (var start = 0; start < 3; start++)
        {
            // The worker runs it alone; the neighbour waits outside, and so does a job that has nothing to do with it.
            var entered = new List<string>();
            var doomed = Life.CreateWorker((request, cancellation) => Note(entered, request, _never.Task.WaitAsync(cancellation)));
            _ = doomed.RunAsync(killer);
            await UntilAsync(() => entered.Count == 1);
            _ = doomed.RunAsync(neighbour);
            _ = doomed.RunAsync(bystander);
            await UntilAsync(async () => await IsOutsideAsync(doomed, neighbour) && await IsOutsideAsync(doomed, bystander));
            entered.ShouldBe(["kill"]);

            Life.Time.Advance(TimeSpan.FromMinutes(2)); // it dies of it
        }

        var passed = new List<string>();
        var next = Life.CreateWorker((request, _) => Note(passed, request, Task.FromResult(ScriptedEngine.Result(request))));
        var killed = (await next.RunAsync(killer)).ShouldBeOfType<JobOutcome.Ended>();
        var failure = killed.Job.Failure.ShouldNotBeNull();
        (failure.Code, failure.Retryable).ShouldBe((FailureCodes.WorkerLost, false));
        failure.Message.ShouldContain("started 6 times");
        failure.Message.ShouldContain("3 times while nothing else ran beside it");
        killed.DeadLetterReason.ShouldNotBeNull().ShouldStartWith("worker_lost: ");
        (await next.RunToEndAsync(neighbour)).State.ShouldBe(JobState.Completed);
        (await next.RunToEndAsync(bystander)).State.ShouldBe(JobState.Completed);
        passed.ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task Five_kills_in_a_row_of_the_only_worker_fail_no_job()
    {
        var jobs = Enumerable.Range(0, 12).Select(_ => JobLife.Job()).ToArray();
        for (var kill = 0; kill < 5; kill++)
        {
            var entered = new List<string>();
            var killed = Life.CreateWorker((request, cancellation) => Note(entered, request, _never.Task.WaitAsync(cancellation)));
            foreach (var job in jobs)
            {
                _ = killed.RunAsync(job);
            }

            await UntilAsync(async () => await AreAllPlacedAsync(killed, jobs, entered));
            Life.Time.Advance(TimeSpan.FromMinutes(2));
        }

        var last = Life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        var ends = await Task.WhenAll(jobs.Select(job => last.RunToEndAsync(job)));

        ends.ShouldAllBe(job => job.State == JobState.Completed);
    }

    [Fact]
    public async Task A_job_that_waited_outside_was_not_started_and_not_lost()
    {
        var (alone, waiting) = (JobLife.Job(), JobLife.Job());
        for (var start = 0; start < 3; start++)
        {
            await Life.ClaimAsync(waiting);
            await Life.ClaimAndDieAsync(alone);
        }

        var entered = new List<string>();
        var worker = Life.CreateWorker((request, cancellation) => Note(entered, request, _never.Task.WaitAsync(cancellation)));
        _ = worker.RunAsync(alone);
        await UntilAsync(() => entered.Count == 1);
        _ = worker.RunAsync(waiting);
        await UntilAsync(() => IsOutsideAsync(worker, waiting));
        Life.Time.Advance(TimeSpan.FromMinutes(2));

        var claimed = await Life.ClaimAsync(waiting);
        (claimed.LostStarts, claimed.LostAlone).ShouldBe((3, 0));
        var lost = await Life.ClaimAsync(alone);
        (lost.LostStarts, lost.LostAlone).ShouldBe((4, 1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Below_the_limit_a_lost_job_runs_beside_others(int lostStarts)
    {
        var (job, other) = (JobLife.Job(), JobLife.Job());
        for (var start = 0; start < lostStarts; start++)
        {
            await Life.ClaimAndDieAsync(job);
        }

        var release = new TaskCompletionSource();
        var inside = 0;
        var worker = Life.CreateWorker(
            async (request, _) =>
            {
                Interlocked.Increment(ref inside);
                await release.Task;
                return ScriptedEngine.Result(request);
            },
            new WorkerOptions { LostStartsBeforeAlone = 3 }
        );
        Task<JobOutcome>[] both = [worker.RunAsync(job), worker.RunAsync(other)];
        await UntilAsync(() => inside == 2);
        release.SetResult();

        (await Task.WhenAll(both)).ShouldAllBe(outcome => ((JobOutcome.Ended)outcome).Job.State == JobState.Completed);
    }

    private static Task<GenerationResult> Note(List<string> entered, GenerationRequest request, Task<GenerationResult> result)
    {
        lock (entered)
        {
            entered.Add(string.Concat(request.PromptTokenIds.Select(id => (char)id)));
        }

        return result;
    }

    /// <summary>Whether each is in the engine or has said that it waits outside.</summary>
    private async Task<bool> AreAllPlacedAsync(TestWorker worker, SubmitGenerationJob[] jobs, List<string> entered)
    {
        var outside = 0;
        foreach (var job in jobs)
        {
            outside += await IsOutsideAsync(worker, job) ? 1 : 0;
        }

        lock (entered)
        {
            return entered.Count > 0 && entered.Count + outside == jobs.Length;
        }
    }

    /// <summary>Whether its worker has noted that it waits to be let in.</summary>
    private async Task<bool> IsOutsideAsync(TestWorker worker, SubmitGenerationJob job) =>
        await Life.QueryAsync(
            $"""
            SELECT count(*) FROM generation_jobs
            WHERE job_id = '{job.JobId}' COLLATE NOCASE AND worker_id = '{worker.WorkerId}' AND is_started = 0
            """
        ) == 1;

    private static Task UntilAsync(Func<bool> hasHappened) => UntilAsync(() => Task.FromResult(hasHappened()));

    private static async Task UntilAsync(Func<Task<bool>> hasHappened)
    {
        while (!await hasHappened())
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }
}
