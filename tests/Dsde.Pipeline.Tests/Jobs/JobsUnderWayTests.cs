using Dsde.Contracts;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Pipeline.Tests.Jobs;

public sealed class JobsUnderWayTests : IDisposable
{
    private const int Slots = 2;

    private readonly ServiceProvider _services;
    private readonly JobsUnderWay _jobs;
    private readonly List<TaskCompletionSource<JobOutcome>> _runs = [];

    public JobsUnderWayTests()
    {
        _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var engine = new ScriptedEngine((_, _) => throw new NotSupportedException());
        _jobs = new JobsUnderWay(
            new WorkerMetrics(
                _services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(),
                engine,
                new WaitInProcess(TimeProvider.System),
                new WorkerOptions(),
                TimeProvider.System,
                NullLogger<WorkerMetrics>.Instance
            ),
            new EndedJobs(),
            Slots
        );
    }

    public void Dispose()
    {
        _services.Dispose();
    }

    [Fact]
    public async Task A_job_outlives_a_delivery_that_was_taken_back_and_the_next_one_gets_its_end()
    {
        var job = Job();
        using var first = new CancellationTokenSource();
        var lost = RunAsync(job, deliveryLost: first.Token);
        await first.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(lost);

        var second = RunAsync(job with { Prompt = "b" });
        var third = RunAsync(job);
        _runs.Count.ShouldBe(2); // another request under the same id is not the same job
        var end = new JobOutcome.HandedBack();
        _runs[0].SetResult(end);

        (await third).ShouldBeSameAs(end);
        second.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_job_that_comes_twice_while_it_waits_for_a_slot_runs_once_and_takes_one_slot()
    {
        var taken = Enumerable.Range(0, Slots).Select(_ => RunAsync(Job())).ToList();
        var job = Job();
        Task<JobOutcome>[] same = [RunAsync(job), RunAsync(job)];
        var end = new JobOutcome.HandedBack();

        _runs[0].SetResult(end);
        _runs[1].SetResult(end);
        await Task.WhenAll(taken);
        await Started(Slots + 1);
        _runs[Slots].SetResult(end);

        (await Task.WhenAll(same)).ShouldAllBe(outcome => ReferenceEquals(outcome, end));
        _runs.Count.ShouldBe(Slots + 1);
        var others = Enumerable.Range(0, Slots).Select(_ => RunAsync(Job())).ToList();
        await Started((2 * Slots) + 1);
    }

    [Fact]
    public async Task A_job_that_has_ended_is_looked_at_anew_when_it_comes_again()
    {
        var job = Job();
        var first = RunAsync(job);
        _runs[0].SetResult(new JobOutcome.HandedBack());
        await first;

        _ = RunAsync(job);
        _runs.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_failure_reaches_whoever_waits_and_does_not_stay()
    {
        var job = Job();
        var first = RunAsync(job);
        _runs[0].SetException(new InvalidOperationException("a bug"));
        (await Should.ThrowAsync<InvalidOperationException>(first)).Message.ShouldBe("a bug");

        _ = RunAsync(job);
        _runs.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Jobs_without_a_delivery_take_up_the_slots_of_their_lane_but_not_of_the_other()
    {
        using var channel = new CancellationTokenSource();
        var lost = Enumerable.Range(0, Slots).Select(_ => RunAsync(Job(), deliveryLost: channel.Token)).ToList();
        await channel.CancelAsync();
        foreach (var delivery in lost)
        {
            await Should.ThrowAsync<OperationCanceledException>(delivery);
        }

        using var impatient = new CancellationTokenSource();
        var waiting = RunAsync(Job());
        var givenUp = RunAsync(Job(), deliveryLost: impatient.Token);
        _runs.Count.ShouldBe(Slots);
        _ = RunAsync(Job(), JobLane.High);
        _runs.Count.ShouldBe(Slots + 1);

        await impatient.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(givenUp);
        _runs[0].SetResult(new JobOutcome.HandedBack());
        await Started(Slots + 2);
        _runs[^1].SetResult(new JobOutcome.HandedBack());
        await waiting;
    }

    private Task<JobOutcome> RunAsync(SubmitGenerationJob job, JobLane lane = JobLane.Bulk, CancellationToken deliveryLost = default) =>
        _jobs.RunAsync(
            new JobDelivery(job, lane),
            _ =>
            {
                var run = new TaskCompletionSource<JobOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
                _runs.Add(run);
                return run.Task;
            },
            deliveryLost
        );

    private async Task Started(int count)
    {
        while (_runs.Count < count)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    private static SubmitGenerationJob Job() =>
        new()
        {
            JobId = Guid.NewGuid(),
            Model = "dsde-demo",
            Prompt = "a",
        };
}
