using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Checkpoints;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>Checkpoints on their way from the engine to the database and back.</summary>
public sealed class CheckpointTests : IAsyncLifetime
{
    private JobLife? _life;

    private JobLife Life => _life ?? throw new InvalidOperationException("Not initialised.");

    public async ValueTask InitializeAsync() => _life = await JobLife.CreateAsync();

    public ValueTask DisposeAsync() => Life.DisposeAsync();

    [Fact]
    public void What_is_written_is_read_back_infinities_and_NaN_included()
    {
        var checkpoint = Checkpoint([1, 2, 3]) with
        {
            TokenLogProbabilities = [-0.1f, float.NegativeInfinity, float.NaN],
            TopLogProbabilities =
            [
                [new(7, float.NegativeInfinity)],
                [],
                [new(9, -1)],
            ],
        };

        CheckpointCodec.TryDecode(CheckpointCodec.Encode(checkpoint), out var read).ShouldBeTrue();

        System
            .Text.Json.JsonSerializer.Serialize(read, CheckpointJson.Default.SequenceCheckpoint)
            .ShouldBe(System.Text.Json.JsonSerializer.Serialize(checkpoint, CheckpointJson.Default.SequenceCheckpoint));
        (read.ShouldNotBeNull().TokenLogProbabilities[1], read.TopLogProbabilities[0][0].LogProbability).ShouldBe(
            (float.NegativeInfinity, float.NegativeInfinity)
        );
        read.Trace.Iterations.PredictedLength.ShouldBe([float.NaN]);
    }

    [Fact]
    public void What_is_damaged_or_written_in_another_way_is_not_read()
    {
        var written = CheckpointCodec.Encode(Checkpoint([1, 2, 3]));
        CheckpointCodec.TryDecode([], out _).ShouldBeFalse();
        CheckpointCodec.TryDecode([2, .. written[1..]], out _).ShouldBeFalse();
        CheckpointCodec.TryDecode(written[..(written.Length / 2)], out _).ShouldBeFalse();
        for (var place = 1; place < written.Length; place += 7)
        {
            byte[] damaged = [.. written];
            damaged[place] ^= 0x5A;
            Should.NotThrow(() => CheckpointCodec.TryDecode(damaged, out _));
        }
    }

    [Fact]
    public async Task The_latest_of_each_output_is_saved_and_the_engine_never_waits()
    {
        var (worker, job, held, lease) = await HoldAsync();
        for (var length = 1; length <= 3; length++)
        {
            worker.Checkpoints.Add(held, 0, Checkpoint([.. Enumerable.Range(0, length)]));
            worker.Checkpoints.Add(held, 2, Checkpoint([.. Enumerable.Range(0, length * 10)]));
        }

        await worker.Checkpoints.SaveAsync(held, TestContext.Current.CancellationToken);

        await Life.Store.ReleaseAsync(lease, TestContext.Current.CancellationToken);
        (await Life.ClaimAsync(job))
            .Checkpoints.Select(checkpoint => (checkpoint.Choice, checkpoint.TokenCount))
            .ShouldBe([(0, 3), (2, 30)], ignoreOrder: true);
    }

    [Fact]
    public async Task A_database_that_is_away_delays_them()
    {
        var isAway = true;
        var saved = new TaskCompletionSource();
        var (worker, _, held, _) = await HoldAsync(store =>
            StoreProxy.Create(
                store,
                before: (call, _) =>
                {
                    if (isAway && call == nameof(store.SaveCheckpointsAsync))
                    {
                        throw StoreProxy.Away();
                    }
                },
                after: call =>
                {
                    if (call == nameof(store.SaveCheckpointsAsync))
                    {
                        saved.TrySetResult();
                    }

                    return Task.CompletedTask;
                }
            )
        );
        await worker.Checkpoints.StartAsync(TestContext.Current.CancellationToken);
        worker.Checkpoints.Add(held, 0, Checkpoint([1]));
        await Task.Delay(20, TestContext.Current.CancellationToken);
        worker.Checkpoints.Add(held, 0, Checkpoint([1, 2]));
        saved.Task.IsCompleted.ShouldBeFalse();

        isAway = false;

        await Life.PassTimeUntilAsync(saved.Task.ContinueWith(_ => true, TaskScheduler.Default));
        held.Checkpoints.Find(0).ShouldNotBeNull().TokenIds.ShouldBe([1, 2]);
    }

    [Fact]
    public async Task A_save_that_hangs_keeps_none_of_another_job_from_being_saved()
    {
        var (first, second, release) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        var (worker, _, held, _) = await HoldAsync(store =>
            StoreProxy.Create(
                store,
                after: call =>
                    call != nameof(store.SaveCheckpointsAsync) ? Task.CompletedTask
                    : first.TrySetResult() ? release.Task
                    : Task.FromResult(second.TrySetResult())
            )
        );
        var other = worker.Running.Add((await Life.ClaimAsync(JobLife.Job())).Lease, null);
        await worker.Checkpoints.StartAsync(TestContext.Current.CancellationToken);

        worker.Checkpoints.Add(held, 0, Checkpoint([1]));
        await first.Task.WaitAsync(TestContext.Current.CancellationToken);
        worker.Checkpoints.Add(other, 0, Checkpoint([1, 2]));

        await second.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        release.SetResult();
    }

    [Fact]
    public async Task Who_was_overtaken_learns_it_when_it_saves_and_saves_nothing()
    {
        var (worker, job, held, _) = await HoldAsync();
        Life.Time.Advance(TimeSpan.FromMinutes(2));
        var next = await Life.ClaimAsync(job);
        worker.Checkpoints.Add(held, 0, Checkpoint([1]));

        await worker.Checkpoints.SaveAsync(held, TestContext.Current.CancellationToken);

        held.IsLost.ShouldBeTrue();
        await Life.Store.ReleaseAsync(next.Lease, TestContext.Current.CancellationToken);
        (await Life.ClaimAsync(job)).Checkpoints.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_retry_goes_on_from_the_latest_checkpoint()
    {
        var resumed = new List<int?>();
        var worker = Life.CreateWorker(
            (request, _) =>
            {
                resumed.Add(request.ResumeFrom?.TokenIds.Length);
                request.Control.ShouldNotBeNull().CheckpointInterval.ShouldBe(2);
                request.Control.Checkpointed.ShouldNotBeNull()(ScriptedEngine.Checkpoint(request, ScriptedEngine.Result(request)));
                return resumed.Count == 1
                    ? throw new EngineFailureException("out of luck")
                    : Task.FromResult(ScriptedEngine.Result(request));
            },
            new WorkerOptions { CheckpointTokens = 2 }
        );

        await Life.PassTimeUntilAsync(worker.RunAsync(JobLife.Job()));

        resumed.ShouldBe([null, 3]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_checkpoint_that_can_not_be_gone_on_from_is_left_and_the_job_begins_again(bool isReadable)
    {
        var job = JobLife.Job();
        var (_, _, _, lease) = await HoldAsync(job: job);
        byte[] state = isReadable ? CheckpointCodec.Encode(Checkpoint([1, 2, 3])) : [1, 2, 3];
        await Life.Store.SaveCheckpointsAsync(lease, [new JobCheckpoint(0, 3, state)], TestContext.Current.CancellationToken);
        await Life.Store.ReleaseAsync(lease, TestContext.Current.CancellationToken);
        var resumed = new List<bool>();
        var worker = Life.CreateWorker(
            (request, _) =>
            {
                resumed.Add(request.ResumeFrom is not null);
                return request.ResumeFrom is not null
                    ? throw new ArgumentException("The checkpoint belongs to another prompt or seed.")
                    : Task.FromResult(ScriptedEngine.Result(request));
            }
        );

        (await worker.RunToEndAsync(job)).State.ShouldBe(JobState.Completed);

        resumed.ShouldBe(isReadable ? [true, false] : [false]);
    }

    private static SequenceCheckpoint Checkpoint(int[] tokenIds)
    {
        var request = new GenerationRequest { PromptTokenIds = [1], MaxTokens = 100 };
        return ScriptedEngine.Checkpoint(request, ScriptedEngine.Result(request)) with { TokenIds = tokenIds };
    }

    private async Task<(TestWorker Worker, Contracts.SubmitGenerationJob Job, HeldJob Held, JobLease Lease)> HoldAsync(
        Func<Persistence.IJobStore, Persistence.IJobStore>? wrap = null,
        Contracts.SubmitGenerationJob? job = null
    )
    {
        job ??= JobLife.Job() with { ChoiceCount = 3 };
        var worker = Life.CreateWorker(new ScriptedEngine((_, _) => throw new InvalidOperationException("Not asked for.")), wrap: wrap);
        var claimed = await Life.ClaimAsync(job);
        return (worker, job, worker.Running.Add(claimed.Lease, null), claimed.Lease);
    }
}
