using System.Collections.Concurrent;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.Persistence.Upkeep;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;
using MassTransit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>What is told of stored ends, over a bus in memory, and what is left of them in the database afterwards.</summary>
public sealed class AnnouncementTests : IAsyncLifetime
{
    private readonly IBusControl _bus = Bus.Factory.CreateUsingInMemory(_ => { });
    private readonly PublishedEvents _published = new();
    private JobLife? _life;

    private JobLife Life => _life ?? throw new InvalidOperationException("Not initialised.");

    public async ValueTask InitializeAsync()
    {
        _life = await JobLife.CreateAsync();
        _bus.ConnectPublishObserver(_published);
        await _bus.StartAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _bus.StopAsync(CancellationToken.None);
        await Life.DisposeAsync();
    }

    [Fact]
    public async Task A_batch_is_told_once_whatever_is_delivered_again()
    {
        var worker = Life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        var announcer = CreateAnnouncer(worker);
        var batchId = Guid.NewGuid();
        SubmitGenerationJob[] jobs = [.. Enumerable.Range(0, 3).Select(_ => JobLife.Job() with { BatchId = batchId, BatchJobCount = 3 })];

        foreach (var job in (SubmitGenerationJob[])[.. jobs, .. jobs, jobs[0] with { BatchJobCount = null }])
        {
            await AnnounceAsync(announcer, worker, job);
        }

        var (id, told) = Told<GenerationBatchCompleted>().ShouldHaveSingleItem();
        id.ShouldBe(NameBasedGuid.Create(batchId, nameof(GenerationBatchCompleted)));
        (told.JobCount, told.CompletedCount, told.FailedCount, told.CancelledCount).ShouldBe((3, 3, 0, 0));
        told.CompletedAt.ShouldBe(Life.Time.GetUtcNow());
        var ends = Told<GenerationJobCompleted>();
        ends.Count.ShouldBe(7);
        ends.Select(end => end.Id).Distinct().Count().ShouldBe(3);
    }

    [Fact]
    public async Task The_second_end_of_a_job_that_was_reopened_and_of_its_batch_are_told_under_other_ids()
    {
        var worker = Life.CreateWorker((_, _) => throw new InvalidOperationException("Broken."), new WorkerOptions { EngineRetries = 0 });
        var announcer = CreateAnnouncer(worker);
        var job = JobLife.Job() with { BatchId = Guid.NewGuid(), BatchJobCount = 1 };
        await AnnounceAsync(announcer, worker, job);
        (await Life.Store.ReopenAsync(job.JobId, TestContext.Current.CancellationToken)).ShouldBeTrue();

        await AnnounceAsync(announcer, worker, job);
        await AnnounceAsync(announcer, worker, job); // delivered again

        Told<GenerationJobFailed>().Select(failed => failed.Id).Distinct().Count().ShouldBe(2);
        Told<GenerationJobFailed>().Count.ShouldBe(3);
        Told<GenerationBatchCompleted>().Select(told => told.Id).Distinct().Count().ShouldBe(2);
        Told<GenerationBatchCompleted>().Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_worker_that_dies_between_the_last_end_and_its_event_leaves_the_batch_to_the_one_that_gets_the_job_again()
    {
        var worker = Life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        var announcer = CreateAnnouncer(worker);
        var batchId = Guid.NewGuid();
        SubmitGenerationJob[] jobs = [.. Enumerable.Range(0, 2).Select(_ => JobLife.Job() with { BatchId = batchId, BatchJobCount = 2 })];
        await AnnounceAsync(announcer, worker, jobs[0]);
        (await worker.RunAsync(jobs[1])).ShouldBeOfType<JobOutcome.Ended>().CompletedBatch.ShouldNotBeNull(); // and nobody hears of it

        var next = Life.CreateWorker((_, _) => throw new InvalidOperationException("It has ended."));
        await AnnounceAsync(CreateAnnouncer(next), next, jobs[1]);

        Told<GenerationBatchCompleted>().ShouldHaveSingleItem().Message.CompletedCount.ShouldBe(2);
        (await Life.Store.FindBatchAsync(batchId, TestContext.Current.CancellationToken)).ShouldNotBeNull().IsAnnounced.ShouldBeTrue();
    }

    [Fact]
    public async Task A_batch_whose_jobs_end_in_every_way_is_told_with_its_counts()
    {
        var worker = Life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        var announcer = CreateAnnouncer(worker);
        var job = JobLife.Job() with { BatchId = Guid.NewGuid(), BatchJobCount = 3 };

        await AnnounceAsync(announcer, worker, job);
        await AnnounceAsync(announcer, worker, job with { JobId = Guid.NewGuid(), Temperature = 9 });
        await AnnounceAsync(announcer, worker, job with { JobId = Guid.NewGuid(), ExpiresAt = Life.Time.GetUtcNow() });

        var told = Told<GenerationBatchCompleted>().ShouldHaveSingleItem().Message;
        (told.CompletedCount, told.FailedCount, told.CancelledCount).ShouldBe((1, 1, 1));
    }

    [Fact]
    public async Task Where_prompts_are_not_stored_the_hash_still_tells_the_same_job_from_another()
    {
        var worker = Life.CreateWorker(
            (request, _) => Task.FromResult(ScriptedEngine.Result(request)),
            new WorkerOptions { StorePrompts = false }
        );
        var job = JobLife.Job() with { Prompt = "secret" };

        await worker.RunToEndAsync(job);

        var request = (await Life.FindAsync(job.JobId)).Request.ShouldNotBeNull();
        request.ShouldNotContain("secret");
        request.ShouldContain("\"workload\":\"test\"");
        (await worker.RunAsync(job)).ShouldBeOfType<JobOutcome.Ended>().IsNew.ShouldBeFalse();
        (await worker.RunAsync(job with { Prompt = "secre" })).ShouldBeOfType<JobOutcome.Conflict>();
        (
            await worker.RunAsync(job with { Prompt = null, Messages = [new ChatMessage { Role = "user", Content = "secret" }] })
        ).ShouldBeOfType<JobOutcome.Conflict>();
    }

    [Fact]
    public async Task Where_outputs_are_not_stored_the_event_carries_the_whole_text_and_then_it_is_gone()
    {
        var text = new string('x', 5000);
        var worker = Life.CreateWorker(
            (request, _) => Task.FromResult(ScriptedEngine.Result(request, text)),
            new WorkerOptions { StoreOutputs = false, MaxEventBytes = 1024 }
        );
        var announcer = CreateAnnouncer(worker);
        var job = JobLife.Job() with { ReturnTokenIds = true, ReturnLogProbabilities = true, ChoiceCount = 2 };

        await AnnounceAsync(announcer, worker, job);
        var stored = await Life.FindAsync(job.JobId);
        await AnnounceAsync(announcer, worker, job);

        stored.Outputs.Count.ShouldBe(2);
        stored.Outputs.ShouldAllBe(output =>
            output.Text == null && output.TokenIds == null && output.TokenBytes == null && output.CompletionTokens == 3
        );
        var told = Told<GenerationJobCompleted>();
        told[0].Message.Text.ShouldBe(text);
        told[0].Message.TokenBytes.ShouldNotBeNull().Count.ShouldBe(3);
        told[0].Message.Choices.ShouldNotBeNull().ShouldAllBe(choice => choice.Text == text && choice.TokenIds != null);
        (told[1].Message.Text, told[1].Message.TextLocation, told[1].Message.Usage.CompletionTokens).ShouldBe((null, null, 6));
        told[1].Id.ShouldBe(told[0].Id);
    }

    [Fact]
    public async Task A_worker_that_dies_before_the_text_is_gone_leaves_that_to_the_one_that_gets_the_job_again()
    {
        var worker = Life.CreateWorker(
            (request, _) => Task.FromResult(ScriptedEngine.Result(request, "once upon")),
            new WorkerOptions { StoreOutputs = false }
        );
        var job = JobLife.Job();
        await worker.RunToEndAsync(job);
        (await Life.FindAsync(job.JobId)).Outputs[0].Text.ShouldBe("once upon");

        await AnnounceAsync(CreateAnnouncer(worker), worker, job);

        Told<GenerationJobCompleted>().ShouldHaveSingleItem().Message.Text.ShouldBe("once upon");
        (await Life.FindAsync(job.JobId)).Outputs[0].Text.ShouldBeNull();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_job_whose_texts_were_pruned_is_told_again_as_the_same_event_without_them(int choices)
    {
        var worker = Life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request, "once upon")));
        var announcer = CreateAnnouncer(worker);
        var job = JobLife.Job() with { ReturnTokenIds = true, ChoiceCount = choices };
        await AnnounceAsync(announcer, worker, job);
        Life.Time.Advance(TimeSpan.FromDays(91));

        var pruned = await PruneAsync(PruneKind.Texts);
        await AnnounceAsync(announcer, worker, job);

        pruned.Count.ShouldBe(1);
        var told = Told<GenerationJobCompleted>();
        told.Select(one => one.Message.Text).ShouldBe(["once upon", null]);
        told[1].Id.ShouldBe(told[0].Id);
        var withoutTexts = told[0].Message with { Text = null, TokenIds = null, PromptTokenIds = null, TokenBytes = null, Choices = null };
        var again = told[1].Message;
        again.Choices?.ShouldAllBe(choice => choice.Text == null && choice.TokenIds == null);
        JsonSerializer
            .Serialize(again with { Choices = null, TextLocation = withoutTexts.TextLocation })
            .ShouldBe(JsonSerializer.Serialize(withoutTexts));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_job_whose_traces_were_pruned_is_told_again_without_what_they_told(int choices)
    {
        var worker = Life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request, "once upon")));
        var announcer = CreateAnnouncer(worker);
        var job = JobLife.Job() with { ChoiceCount = choices };
        await AnnounceAsync(announcer, worker, job);
        Life.Time.Advance(TimeSpan.FromDays(91));
        await PruneAsync(PruneKind.Traces);

        await AnnounceAsync(announcer, worker, job);

        var told = Told<GenerationJobCompleted>();
        told[1].Id.ShouldBe(told[0].Id);
        told[0].Message.Speculation.ShouldNotBeNull();
        JsonSerializer
            .Serialize(told[1].Message)
            .ShouldBe(JsonSerializer.Serialize(told[0].Message with { Speculation = null, Timings = null }));
    }

    [Fact]
    public async Task A_job_that_was_pruned_without_its_traces_and_ran_again_has_those_of_its_last_run()
    {
        var worker = Life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request, "once upon")));
        var announcer = CreateAnnouncer(worker);
        var job = JobLife.Job();
        await AnnounceAsync(announcer, worker, job);
        Life.Time.Advance(TimeSpan.FromDays(91));
        await PruneAsync(PruneKind.Jobs);

        await AnnounceAsync(announcer, worker, job);
        await AnnounceAsync(announcer, worker, job);

        var told = Told<GenerationJobCompleted>();
        told.Count.ShouldBe(3);
        told.ShouldAllBe(one => one.Message.Speculation != null);
        (await Life.FindAsync(job.JobId)).Traces.Count.ShouldBe(1);
    }

    private Task<Pruned> PruneAsync(PruneKind kind) =>
        Life.Upkeep.PruneAsync(kind, Life.Time.GetUtcNow().AddDays(-90), isDryRun: false, TestContext.Current.CancellationToken);

    private EventPublisher Events =>
        new(() => _bus, new BrokerPatience(Life.Time, NullLogger<BrokerPatience>.Instance), Life.Time, NullLogger<EventPublisher>.Instance);

    private EndAnnouncer CreateAnnouncer(TestWorker worker) =>
        new(Life.Store, Events, new BatchAnnouncer(Life.Store, Events, worker.Patience), worker.Patience, worker.Options, Life.Time);

    private static async Task AnnounceAsync(EndAnnouncer announcer, TestWorker worker, SubmitGenerationJob job) =>
        await announcer.AnnounceAsync(
            job,
            (await worker.RunAsync(job)).ShouldBeOfType<JobOutcome.Ended>(),
            default,
            TestContext.Current.CancellationToken
        );

    private List<(Guid Id, T Message)> Told<T>() =>
        [.. _published.All.Where(published => published.Message is T).Select(published => (published.Id, (T)published.Message))];

    private sealed class PublishedEvents : IPublishObserver
    {
        public ConcurrentQueue<(Guid Id, object Message)> All { get; } = [];

        public Task PrePublish<T>(PublishContext<T> context)
            where T : class => Task.CompletedTask;

        public Task PostPublish<T>(PublishContext<T> context)
            where T : class
        {
            All.Enqueue((context.MessageId ?? default, context.Message));
            return Task.CompletedTask;
        }

        public Task PublishFault<T>(PublishContext<T> context, Exception exception)
            where T : class => Task.CompletedTask;
    }
}
