using Dsde.Engine;
using Dsde.Pipeline.Jobs.Ends;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>What becomes of the jobs of a worker whose engine hangs.</summary>
public sealed class HungEngineTests
{
    [Fact]
    public async Task The_lease_of_a_job_is_renewed_while_the_engine_gets_on_and_runs_out_when_it_hangs()
    {
        await using var life = await JobLife.CreateAsync();
        var never = new TaskCompletionSource<GenerationResult>();
        var hanging = life.CreateWorker((_, _) => never.Task);
        var other = life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        var job = JobLife.Job();
        _ = hanging.RunAsync(job);
        await hanging.ClaimedAsync(job.JobId);

        life.Time.Advance(hanging.Lease * 0.9);
        await hanging.Renewal.RenewAsync(TestContext.Current.CancellationToken);
        life.Time.Advance(hanging.Lease * 0.9);
        (await other.RunAsync(job)).ShouldBeOfType<JobOutcome.HeldElsewhere>();

        hanging.Engine.StuckSince = life.Time.GetUtcNow();
        await hanging.Renewal.RenewAsync(TestContext.Current.CancellationToken);
        life.Time.Advance(hanging.Lease * 0.2);
        (await other.RunToEndAsync(job)).Outputs.ShouldHaveSingleItem().Text.ShouldBe("done");
        never.SetCanceled(TestContext.Current.CancellationToken);
    }
}
