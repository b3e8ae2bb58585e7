using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>The life of a job where things go wrong, on a real database.</summary>
public sealed class JobRunnerTests : IAsyncLifetime
{
    private JobLife? _life;

    private JobLife Life => _life ?? throw new InvalidOperationException("Not initialised.");

    private IJobStore Store => Life.Store;

    public async ValueTask InitializeAsync() => _life = await JobLife.CreateAsync();

    public ValueTask DisposeAsync() => Life.DisposeAsync();

    [Fact]
    public async Task The_time_in_the_queue_is_that_until_the_first_start_and_neither_looks_nor_later_starts_count()
    {
        var hanging = new TaskCompletionSource<GenerationResult>();
        var first = Life.CreateWorker((_, _) => hanging.Task);
        var second = Life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        using var times = new Measurements("dsde.job.queue.duration", first, second);
        var delivery = new JobDelivery(Job(), JobLane.Bulk) { SubmittedAt = Life.Time.GetUtcNow() };
        Life.Time.Advance(TimeSpan.FromSeconds(7));

        _ = first.Runner.RunAsync(delivery);
        await first.ClaimedAsync(delivery.Job.JobId);
        (await second.Runner.RunAsync(delivery)).ShouldBeOfType<JobOutcome.HeldElsewhere>(); // a look
        Life.Time.Advance(first.Lease * 2);
        (await second.Runner.RunAsync(delivery)).ShouldBeOfType<JobOutcome.Ended>().IsNew.ShouldBeTrue(); // a second start
        (await second.Runner.RunAsync(delivery)).ShouldBeOfType<JobOutcome.Ended>().IsNew.ShouldBeFalse(); // a look at an end

        times.Values.ShouldBe([7]);
        hanging.SetCanceled(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_job_runs_is_stored_and_run_again_gives_the_same_event()
    {
        var engine = new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        var (worker, job) = (CreateWorker(engine), Job());

        var first = (await worker.RunAsync(job)).ShouldBeOfType<JobOutcome.Ended>();
        Life.Time.Advance(TimeSpan.FromMinutes(5));
        var second = (await worker.RunAsync(job)).ShouldBeOfType<JobOutcome.Ended>();

        first.IsNew.ShouldBeTrue();
        second.IsNew.ShouldBeFalse();
        engine.Requests.ShouldBe(1);
        var (one, two) = (JobEvents.Create(first.Job), JobEvents.Create(second.Job));
        System.Text.Json.JsonSerializer.Serialize(one).ShouldBe(System.Text.Json.JsonSerializer.Serialize(two));
        JobEvents.MessageIdOf(job.JobId, one, 0).ShouldBe(JobEvents.MessageIdOf(job.JobId, two, 0));
        JobEvents.MessageIdOf(job.JobId, one, 1).ShouldNotBe(JobEvents.MessageIdOf(job.JobId, one, 0));
        var completed = one.ShouldBeOfType<GenerationJobCompleted>();
        var speculation = completed.Speculation.ShouldNotBeNull();
        speculation.MeanKld.ShouldNotBeNull().ShouldBe(0.2, 1e-6);
        speculation.BlockEfficiency.ShouldBe(2);
        completed.Metadata.ShouldNotBeNull()["workload"].ShouldBe("test");
    }

    [Theory]
    [InlineData("summary", 0, 0)]
    [InlineData("iterations", 1, 0)]
    [InlineData("tokens", 1, 1)]
    public async Task A_level_of_telemetry_keeps_its_series_and_no_more(string level, int iterations, int tokens)
    {
        var engine = new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        await CreateWorker(engine, new WorkerOptions { TelemetryLevel = level }).RunToEndAsync(Job());

        (await Life.QueryAsync($"SELECT count(*) FROM job_traces WHERE level = '{level}' AND proposed = 2 AND mean_kld > 0.1")).ShouldBe(1);
        (await Life.QueryAsync("SELECT count(iteration_length) + count(iteration_verify_ms) FROM job_traces")).ShouldBe(2 * iterations);
        (await Life.QueryAsync("SELECT count(proposal_kld) + count(token_margin) FROM job_traces")).ShouldBe(2 * tokens);
    }

    [Theory]
    [InlineData(false, new[] { 3, 3, 3 }, null)]
    [InlineData(true, new[] { 3, 0, 1 }, true)]
    [InlineData(true, new[] { 3, 0 }, false)] // no more than half
    [InlineData(true, new[] { 0, 0, 0, 3 }, false)]
    [InlineData(true, new int[0], null)]
    public async Task Speculation_paid_if_the_guard_allowed_it_in_more_than_half_of_the_iterations(
        bool isGuarded,
        int[] lengths,
        bool? expected
    )
    {
        var engine = new ScriptedEngine(
            (request, _) =>
            {
                var result = ScriptedEngine.Result(request);
                var iterations = result.Trace.Iterations with { SpeculationLength = lengths };
                return Task.FromResult(result with { Trace = result.Trace with { IsGuarded = isGuarded, Iterations = iterations } });
            }
        );

        var ended = (await CreateWorker(engine).RunAsync(Job())).ShouldBeOfType<JobOutcome.Ended>();

        var speculation = JobEvents.Create(ended.Job).ShouldBeOfType<GenerationJobCompleted>().Speculation.ShouldNotBeNull();
        speculation.Paid.ShouldBe(expected);
        speculation.SpeculatingIterations.ShouldBe(lengths.Count(length => length > 0));
    }

    [Fact]
    public async Task Several_outputs_each_have_a_seed_of_their_own_and_are_all_stored_and_told()
    {
        var engine = new ScriptedEngine(
            (request, _) =>
                Task.FromResult(
                    ScriptedEngine.Result(request, $"text {request.Sampling.Seed}") with
                    {
                        TopLogProbabilities =
                        [
                            .. Enumerable
                                .Range(0, 3)
                                .Select(position => (IReadOnlyList<TokenLogProbability>)[new(position, -0.5f), new(9, -3)]),
                        ],
                    }
                )
        );
        var job = Job() with { ChoiceCount = 3, Seed = 11, ReturnLogProbabilities = true, TopLogProbabilityCount = 2 };

        var ended = (await CreateWorker(engine).RunAsync(job)).ShouldBeOfType<JobOutcome.Ended>();

        engine.Requests.ShouldBe(3);
        var completed = JobEvents.Create(ended.Job).ShouldBeOfType<GenerationJobCompleted>();
        var choices = completed.Choices.ShouldNotBeNull();
        choices.Select(choice => choice.Index).ShouldBe([0, 1, 2]);
        choices
            .Select(choice => choice.Text)
            .ShouldBe(Enumerable.Range(0, 3).Select(choice => $"text {Dsde.Engine.Sampling.ChoiceSeeds.Of(11, choice)}"));
        choices
            .Select(choice => unchecked((ulong)choice.Seed))
            .ShouldBe(Enumerable.Range(0, 3).Select(choice => Dsde.Engine.Sampling.ChoiceSeeds.Of(11, choice)));
        choices[2]
            .TopLogProbabilities.ShouldNotBeNull()
            .Select(top => top.Select(token => token.TokenId))
            .ShouldBe([
                [0, 9],
                [1, 9],
                [2, 9],
            ]);
        completed // once each, those of the outputs first
            .TokenBytes.ShouldNotBeNull()
            .Select(token => (token.TokenId, token.IsSpecial))
            .ShouldBe([(1, false), (2, false), (ScriptedEngine.SpecialToken, true), (0, false), (9, false)]);
        completed.TokenBytes[4].Bytes.ShouldBe("\t"u8.ToArray());
        var summary = completed.Speculation.ShouldNotBeNull();
        (completed.Text, summary.Seed).ShouldBe(("text 11", 11));
        (completed.Usage.PromptTokens, completed.Usage.CompletionTokens).ShouldBe((ended.Job.Outputs[0].PromptTokens, 9));
        (summary.Iterations, summary.Proposed, summary.BlockEfficiency).ShouldBe((3, 6, 2));
        var bounded = JobEvents.WithoutOutputs(completed).ShouldBeOfType<GenerationJobCompleted>();
        (bounded.Text, bounded.TokenBytes, bounded.TextLocation).ShouldBe((null, null, $"generation_jobs/{job.JobId}"));
        bounded
            .Choices.ShouldNotBeNull()
            .ShouldAllBe(choice => choice.Text == null && choice.TopLogProbabilities == null && choice.CompletionTokens == 3);
    }

    [Fact]
    public async Task Each_of_several_prompts_has_its_outputs_and_is_counted_once()
    {
        var engine = new ScriptedEngine(
            (request, _) =>
                Task.FromResult(
                    ScriptedEngine.Result(request, string.Concat(request.PromptTokenIds.Select(id => (char)id)).ToUpperInvariant())
                )
        );
        var job = Job() with
        {
            Prompt = new JobPrompts([JobPrompt.OfText("a"), JobPrompt.OfText("bc")]),
            ChoiceCount = 2,
            ReturnTokenIds = true,
        };

        var ended = (await CreateWorker(engine).RunAsync(job)).ShouldBeOfType<JobOutcome.Ended>();

        var completed = JobEvents.Create(ended.Job).ShouldBeOfType<GenerationJobCompleted>();
        completed
            .Choices.ShouldNotBeNull()
            .Select(choice => (choice.Index, choice.PromptIndex, choice.Text, string.Join(',', choice.PromptTokenIds ?? [])))
            .ShouldBe([(0, 0, "A", "97"), (1, 0, "A", "97"), (2, 1, "BC", "98,99"), (3, 1, "BC", "98,99")]);
        completed.PromptTokenIds.ShouldBe([97]);
        completed.Usage.PromptTokens.ShouldBe(3);
        var bounded = JobEvents.WithoutOutputs(completed).ShouldBeOfType<GenerationJobCompleted>();
        bounded.Choices.ShouldNotBeNull().ShouldAllBe(choice => choice.PromptTokenIds == null && choice.Text == null);

        // As the database has it, and where it has lost what was asked for.
        var stored = (await Store.FindAsync([job.JobId], TestContext.Current.CancellationToken))[0];
        JobEvents.Create(stored).ShouldBeEquivalentTo(completed);
        JobEvents.Create(stored with { Request = null }).ShouldBeOfType<GenerationJobCompleted>().Usage.ShouldBe(completed.Usage);
    }

    [Theory]
    [InlineData(true, null, true)]
    [InlineData(true, false, true)]
    [InlineData(true, true, false)]
    [InlineData(null, null, false)]
    public async Task What_tokens_stand_for_is_kept_only_for_log_probabilities_that_are_wanted_with_it(
        bool? withLogProbabilities,
        bool? asTokenIds,
        bool isKept
    )
    {
        var engine = new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        var job = Job() with { ReturnTokenIds = true, ReturnLogProbabilities = withLogProbabilities, ReturnTokensAsTokenIds = asTokenIds };

        var ended = (await CreateWorker(engine).RunAsync(job)).ShouldBeOfType<JobOutcome.Ended>();

        (ended.Job.Outputs[0].TokenBytes is not null).ShouldBe(isKept);
        (JobEvents.Create(ended.Job).ShouldBeOfType<GenerationJobCompleted>().TokenBytes is not null).ShouldBe(isKept);
    }

    [Fact]
    public async Task A_job_without_a_seed_has_the_same_one_whenever_it_is_delivered()
    {
        var seeds = new List<ulong>();
        var worker = CreateWorker(
            new ScriptedEngine(
                (request, _) =>
                {
                    seeds.Add(request.Sampling.Seed);
                    throw new EngineFailureException("out of luck");
                }
            )
        );

        await Life.PassTimeUntilAsync(worker.RunAsync(Job()));
        await Life.PassTimeUntilAsync(worker.RunAsync(Job()));

        seeds.Count.ShouldBe(6);
        seeds.Take(3).Distinct().Count().ShouldBe(1);
        seeds.Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public async Task An_engine_that_fails_is_tried_again_and_then_the_job_fails_retryably()
    {
        var worker = CreateWorker(new ScriptedEngine((_, _) => throw new EngineFailureException("out of luck")));

        var ended = (await Life.PassTimeUntilAsync(worker.RunAsync(Job()))).ShouldBeOfType<JobOutcome.Ended>();

        ended.Job.Failure.ShouldBe(new JobFailure(FailureCodes.EngineError, "out of luck", Retryable: true));
    }

    [Fact]
    public async Task A_job_past_its_deadline_is_not_run()
    {
        var engine = new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request)));

        var ended = (
            await CreateWorker(engine).RunAsync(Job() with { ExpiresAt = Life.Time.GetUtcNow() })
        ).ShouldBeOfType<JobOutcome.Ended>();

        ended.Job.CancelReason.ShouldBe("expired");
        engine.Requests.ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cancelled_job_is_stored_and_told_with_what_there_was(bool isCancelledInTheDatabase)
    {
        var (started, asked) = (new TaskCompletionSource(), new TaskCompletionSource());
        var worker = CreateWorker(
            new ScriptedEngine(
                async (request, _) =>
                {
                    started.SetResult();
                    await asked.Task;
                    return ScriptedEngine.Result(request, "once upon") with
                    {
                        FinishReason = request.Control.ShouldNotBeNull().Asked.ShouldNotBeNull(),
                    };
                }
            )
        );
        var job = Job();

        var running = worker.RunAsync(job);
        await started.Task;
        if (isCancelledInTheDatabase)
        {
            await Store.CancelJobAsync(job.JobId, TestContext.Current.CancellationToken);
        }

        worker.Running.CancelJob(job.JobId);
        asked.SetResult();

        var ended = (await running).ShouldBeOfType<JobOutcome.Ended>().Job;
        ended.Outputs.ShouldHaveSingleItem().FinishReason.ShouldBe("cancelled");
        var told = JobEvents.Create(ended).ShouldBeOfType<GenerationJobCancelled>();
        (told.Reason, told.Text, told.Usage?.CompletionTokens).ShouldBe(("cancelled", "once upon", 3));
        JobEvents.WithoutOutputs(told).ShouldBeOfType<GenerationJobCancelled>().TextLocation.ShouldBe($"generation_jobs/{job.JobId}");
    }

    [Fact]
    public async Task The_engine_learns_the_deadline_and_what_it_cuts_is_stored_as_expired()
    {
        var expires = Life.Time.GetUtcNow().AddSeconds(10);
        var worker = CreateWorker(
            new ScriptedEngine(
                (request, _) =>
                {
                    request.ExpiresAt.ShouldBe(expires);
                    return Task.FromResult(ScriptedEngine.Result(request, "once upon") with { FinishReason = FinishReason.Expired });
                }
            )
        );

        var job = (await worker.RunAsync(Job() with { ExpiresAt = expires })).ShouldBeOfType<JobOutcome.Ended>().Job;

        (job.State, job.CancelReason, job.Outputs[0].Text).ShouldBe((JobState.Cancelled, "expired", "once upon"));
    }

    [Fact]
    public async Task A_job_that_is_cut_before_it_begins_has_no_output()
    {
        var worker = CreateWorker(
            new ScriptedEngine(
                (request, _) =>
                    Task.FromResult(
                        ScriptedEngine.Result(request, "") with
                        {
                            FinishReason = FinishReason.Expired,
                            TokenIds = [],
                            TokenLogProbabilities = [],
                        }
                    )
            )
        );

        var job = (await worker.RunAsync(Job())).ShouldBeOfType<JobOutcome.Ended>().Job;

        job.CancelReason.ShouldBe("expired");
        job.Outputs.ShouldBeEmpty();
        JobEvents.Create(job).ShouldBeOfType<GenerationJobCancelled>().Text.ShouldBeNull();
    }

    [Fact]
    public async Task If_one_output_fails_for_good_the_others_are_called_off_and_the_job_fails()
    {
        var othersCancelled = 0;
        var worker = CreateWorker(
            new ScriptedEngine(
                async (request, _) =>
                {
                    if (request.Sampling.Seed == Dsde.Engine.Sampling.ChoiceSeeds.Of(11, 1))
                    {
                        throw new EngineFailureException("out of luck");
                    }

                    while (request.Control.ShouldNotBeNull().Asked is null)
                    {
                        await Task.Yield();
                    }

                    Interlocked.Increment(ref othersCancelled);
                    return ScriptedEngine.Result(request) with { FinishReason = FinishReason.Cancelled };
                }
            )
        );

        var ended = (
            await Life.PassTimeUntilAsync(worker.RunAsync(Job() with { ChoiceCount = 3, Seed = 11 }))
        ).ShouldBeOfType<JobOutcome.Ended>();

        ended.Job.Failure.ShouldBe(new JobFailure(FailureCodes.EngineError, "out of luck", Retryable: true));
        othersCancelled.ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_that_is_suspended_or_whose_engine_is_shut_down_is_handed_back(bool isSuspended)
    {
        var worker = CreateWorker(
            new ScriptedEngine(
                (request, _) =>
                    isSuspended
                        ? Task.FromResult(ScriptedEngine.Result(request) with { FinishReason = FinishReason.Suspended })
                        : throw new OperationCanceledException("The engine has been shut down.")
            )
        );
        var job = Job();

        (await worker.RunAsync(job)).ShouldBeOfType<JobOutcome.HandedBack>();

        (await Life.ClaimAsync(job)).LostStarts.ShouldBe(0);
    }

    [Fact]
    public async Task A_prompt_that_the_tokenizer_can_not_cut_fails_the_job_with_the_reason()
    {
        var worker = CreateWorker(new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request))));

        var ended = (await worker.RunAsync(Job() with { Prompt = ScriptedEngine.Unencodable })).ShouldBeOfType<JobOutcome.Ended>();

        ended.Job.Failure.ShouldBe(new JobFailure(FailureCodes.InvalidRequest, "The text can't be cut into words.", Retryable: false));
    }

    [Fact]
    public async Task A_job_whose_engine_does_not_let_go_in_time_is_abandoned_and_can_be_claimed_at_once()
    {
        var started = new TaskCompletionSource();
        var worker = CreateWorker(
            new ScriptedEngine(
                async (request, cancellation) =>
                {
                    started.SetResult();
                    await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
                    return ScriptedEngine.Result(request);
                }
            )
        );
        var job = Job();

        var running = worker.RunAsync(job);
        await started.Task;
        worker.Running.HandBackAll();
        worker.Running.AbandonAll();

        (await running).ShouldBeOfType<JobOutcome.HandedBack>();
        (await Life.ClaimAsync(job)).Attempt.ShouldBe(2);
    }

    [Theory]
    [InlineData("temperature is 3;", 3.0, null, null, "a")]
    [InlineData("topP is 0;", null, 0.0, null, "a")]
    [InlineData("maxTokens is 0;", null, null, 0, "a")]
    [InlineData("prompt is empty", null, null, null, "")]
    [InlineData(
        "holds 64 with the output; shorten it to 63",
        null,
        null,
        null,
        "0123456789012345678901234567890123456789012345678901234567890123"
    )]
    public async Task A_job_that_can_never_run_fails_with_the_value_and_what_is_allowed(
        string message,
        double? temperature,
        double? topP,
        int? maxTokens,
        string prompt
    )
    {
        var worker = CreateWorker(new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request))));

        var ended = (
            await worker.RunAsync(Job() with { Prompt = prompt, Temperature = temperature, TopP = topP, MaxTokens = maxTokens })
        ).ShouldBeOfType<JobOutcome.Ended>();

        var failure = ended.Job.Failure.ShouldNotBeNull();
        failure.Message.ShouldContain(message);
        failure.Retryable.ShouldBeFalse();
    }

    private static SubmitGenerationJob Job() => JobLife.Job();

    private TestWorker CreateWorker(IGenerationEngine engine, WorkerOptions? options = null) => Life.CreateWorker(engine, options);
}
