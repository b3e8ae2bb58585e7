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

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(11)]
    public async Task A_job_that_kills_its_worker_at_once_each_time_is_found_and_given_up_and_those_beside_it_complete(int position)
    {
        var jobs = Enumerable.Range(0, 12).Select(number => JobLife.Job() with { Prompt = number == position ? "k" : "a" }).ToArray();
        var killer = jobs[position];
        var deaths = 0;
        while ((await TryFindAsync(killer))?.Failure is null)
        {
            var site = new Site(Life);
            await site.DeliverAsync(await StillToEndAsync(jobs));
            while (site.Inside.Count > 0 && !site.Inside.Contains("k"))
            {
                await site.EndThoseInsideAsync();
            }

            deaths += site.Inside.Count > 0 ? 1 : 0;
            Life.Time.Advance(TimeSpan.FromMinutes(2)); // it dies, or has nothing left to do
        }

        var failure = (await Life.FindAsync(killer.JobId)).Failure.ShouldNotBeNull();
        (failure.Code, failure.Retryable).ShouldBe((FailureCodes.WorkerLost, false));
        failure.Message.ShouldContain("Each time the job was started (8) its worker was lost");
        failure.Message.ShouldContain("nothing else ran beside it (3)");
        deaths.ShouldBe(8); // three among all, then among four and among two, and three alone
        foreach (var job in jobs.Except([killer]))
        {
            (await Life.FindAsync(job.JobId)).State.ShouldBe(JobState.Completed);
        }
    }

    [Fact]
    public async Task Five_quick_kills_of_the_only_worker_fail_no_job_and_make_few_run_alone()
    {
        var jobs = Enumerable.Range(0, 12).Select(_ => JobLife.Job()).ToArray();
        for (var kill = 0; kill < 5; kill++)
        {
            await new Site(Life).DeliverAsync(jobs);
            Life.Time.Advance(TimeSpan.FromMinutes(2));
        }

        var last = new Site(Life);
        await last.DeliverAsync(jobs);
        var together = new List<int>();
        while (last.Inside.Count > 0)
        {
            together.Add(last.Inside.Count);
            await last.EndThoseInsideAsync();
        }

        together.ShouldBe([1, 1, 2, 4, 4]); // those that were lost five times, four times, and three times
        foreach (var job in jobs)
        {
            (await Life.FindAsync(job.JobId)).State.ShouldBe(JobState.Completed);
        }
    }

    [Fact]
    public async Task A_job_that_waited_outside_was_not_started_and_not_lost()
    {
        var (alone, waiting) = (JobLife.Job(), JobLife.Job());
        for (var start = 0; start < 5; start++)
        {
            await Life.StartAsync(waiting);
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
        (claimed.LostStarts, claimed.LostAlone).ShouldBe((5, 0));
        var lost = await Life.ClaimAsync(alone);
        (lost.LostStarts, lost.LostAlone).ShouldBe((6, 1));
    }

    [Fact]
    public async Task A_job_that_ran_alone_is_inside_until_its_end_is_stored_so_that_the_next_one_can_not_take_it_down()
    {
        var (first, second) = (JobLife.Job(), JobLife.Job());
        for (var start = 0; start < 5; start++)
        {
            await Life.StartAsync(first);
            await Life.ClaimAndDieAsync(second);
        }

        var outsideWhenStored = new List<int>();
        var end = new TaskCompletionSource();
        TestWorker worker = null!;
        worker = Life.CreateWorker(
            new ScriptedEngine(
                async (request, cancellation) =>
                {
                    await end.Task.WaitAsync(cancellation);
                    return ScriptedEngine.Result(request);
                }
            ),
            wrap: store => StoreProxy.Create(store, (call, _) => NoteIf(call == nameof(store.StoreAsync)))
        );
        Task<JobOutcome>[] both = [worker.RunAsync(first), worker.RunAsync(second)];
        await UntilAsync(() => worker.Gate.WaitingCount == 1);

        end.SetResult();
        await Task.WhenAll(both);

        outsideWhenStored.ShouldBe([1, 0]);

        void NoteIf(bool isStored)
        {
            if (isStored)
            {
                outsideWhenStored.Add(worker.Gate.WaitingCount);
            }
        }
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
            new WorkerOptions { LostStartsBeforeNarrowing = 3 }
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

    /// <summary>Whether its worker has noted that it waits to be let in.</summary>
    private async Task<bool> IsOutsideAsync(TestWorker worker, SubmitGenerationJob job) =>
        await Life.QueryAsync(
            $"""
            SELECT count(*) FROM generation_jobs
            WHERE job_id = '{job.JobId}' COLLATE NOCASE AND worker_id = '{worker.WorkerId}' AND is_started = 0
            """
        ) == 1;

    private async Task<StoredJob?> TryFindAsync(SubmitGenerationJob job) =>
        (await Life.Store.FindAsync([job.JobId], TestContext.Current.CancellationToken)).SingleOrDefault();

    private async Task<SubmitGenerationJob[]> StillToEndAsync(SubmitGenerationJob[] jobs)
    {
        var known = await Life.Store.FindAsync([.. jobs.Select(job => job.JobId)], TestContext.Current.CancellationToken);
        return [.. jobs.ExceptBy(known.Where(job => job.EndedAt is not null).Select(job => job.JobId), job => job.JobId)];
    }

    private static Task UntilAsync(Func<bool> hasHappened) => UntilAsync(() => Task.FromResult(hasHappened()));

    private static async Task UntilAsync(Func<Task<bool>> hasHappened)
    {
        while (!await hasHappened())
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A worker whose engine takes eight at once, from its first delivery to its death.</summary>
    private sealed class Site
    {
        private readonly TestWorker _worker;
        private readonly List<(string Prompt, TaskCompletionSource End)> _inside = [];
        private readonly List<Task<JobOutcome>> _delivered = [];

        public Site(JobLife life) =>
            _worker = life.CreateWorker(new ScriptedEngine(RunAsync) { Description = ScriptedEngine.Standard with { BatchSize = 8 } });

        /// <summary>Prompts of the jobs that the engine has.</summary>
        public IReadOnlyList<string> Inside
        {
            get
            {
                lock (_inside)
                {
                    return [.. _inside.Select(job => job.Prompt)];
                }
            }
        }

        /// <summary>Gives it jobs, one after the other: each is in the engine, has ended or waits outside before the next comes.</summary>
        public async Task DeliverAsync(IEnumerable<SubmitGenerationJob> jobs)
        {
            foreach (var job in jobs)
            {
                _delivered.Add(_worker.RunAsync(job));
                await UntilAsync(AreAllPlaced);
            }
        }

        /// <summary>Lets the jobs in the engine end, and others take their places.</summary>
        public async Task EndThoseInsideAsync()
        {
            (string, TaskCompletionSource End)[] ending;
            lock (_inside)
            {
                ending = [.. _inside];
                _inside.Clear();
            }

            var ended = _delivered.Count(job => job.IsCompleted) + ending.Length;
            Array.ForEach(ending, job => job.End.SetResult());
            await UntilAsync(() => _delivered.Count(job => job.IsCompleted) == ended);
            await UntilAsync(AreAllPlaced);
        }

        private async Task<GenerationResult> RunAsync(GenerationRequest request, CancellationToken cancellation)
        {
            var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_inside)
            {
                _inside.Add((string.Concat(request.PromptTokenIds.Select(id => (char)id)), end));
            }

            await end.Task.WaitAsync(cancellation);
            return ScriptedEngine.Result(request);
        }

        private bool AreAllPlaced() => Inside.Count + _worker.Gate.WaitingCount == _delivered.Count(job => !job.IsCompleted);
    }
}
