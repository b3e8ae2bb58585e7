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
    public async Task A_killer_runs_alone_once_is_then_given_up_and_its_neighbour_passes()
    {
        var (killer, neighbour) = (JobLife.Job() with { Prompt = "kill" }, JobLife.Job());
        for (var start = 0; start < 3; start++)
        {
            await Life.ClaimAsync(neighbour);
            await Life.ClaimAndDieAsync(killer);
        }

        // The fourth worker runs it alone; the neighbour waits outside, and so does a job that has nothing to do with it.
        var entered = new List<string>();
        var doomed = Life.CreateWorker((request, cancellation) => Note(entered, request, _never.Task.WaitAsync(cancellation)));
        _ = doomed.RunAsync(killer);
        await UntilAsync(() => entered.Count == 1);
        _ = doomed.RunAsync(neighbour);
        var bystander = JobLife.Job() with { Prompt = "b" };
        _ = doomed.RunAsync(bystander);
        await UntilAsync(() => doomed.Gate.WaitingCount == 2);
        entered.ShouldBe(["kill"]);

        // It dies of it.
        Life.Time.Advance(TimeSpan.FromMinutes(2));
        var next = Life.CreateWorker((request, _) => Note(entered, request, Task.FromResult(ScriptedEngine.Result(request))));
        var killed = (await next.RunAsync(killer)).ShouldBeOfType<JobOutcome.Ended>();
        var failure = killed.Job.Failure.ShouldNotBeNull();
        (failure.Code, failure.Retryable).ShouldBe((FailureCodes.WorkerLost, false));
        failure.Message.ShouldContain("started 4 times");
        killed.DeadLetterReason.ShouldNotBeNull().ShouldStartWith("worker_lost: ");
        (await next.RunToEndAsync(neighbour)).State.ShouldBe(JobState.Completed);
        (await next.RunToEndAsync(bystander)).State.ShouldBe(JobState.Completed);
        entered.ShouldBe(["kill", "a", "b"]);
    }

    [Fact]
    public async Task A_job_that_waited_outside_is_not_taken_for_one_that_was_lost_alone()
    {
        var (alone, waiting) = (JobLife.Job(), JobLife.Job());
        for (var start = 0; start < 3; start++)
        {
            await Life.ClaimAsync(waiting);
            await Life.ClaimAndDieAsync(alone);
        }

        var worker = Life.CreateWorker((_, cancellation) => _never.Task.WaitAsync(cancellation));
        _ = worker.RunAsync(alone);
        await worker.ClaimedAsync(alone.JobId);
        _ = worker.RunAsync(waiting);
        await UntilAsync(() => worker.Gate.WaitingCount == 1);
        Life.Time.Advance(TimeSpan.FromMinutes(2));

        var claimed = await Life.ClaimAsync(waiting);
        (claimed.LostStarts, claimed.WasLostAlone).ShouldBe((4, false));
        (await Life.ClaimAsync(alone)).WasLostAlone.ShouldBeTrue();
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

    private static async Task UntilAsync(Func<bool> hasHappened)
    {
        while (!hasHappened())
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }
}
