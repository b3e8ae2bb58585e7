using Dsde.Engine;
using Dsde.Engine.Sampling;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Checkpoints;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Telemetry;
using Dsde.Speculation;
using Polly;
using Polly.Retry;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>
/// All outputs of a job, together; each has a seed of its own. A failing engine is tried again, later and later, and goes on from the
/// latest checkpoint. If one output fails for good, so does the job, and the others are called off.
/// </summary>
internal sealed class OutputGenerator
{
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestRetryDelay = TimeSpan.FromSeconds(30);
    private static readonly PolicyConfiguration LongestPolicy = PolicyConfiguration.Parse("static:64");
    private static readonly ResiliencePropertyKey<Guid> JobId = new("job");

    private readonly IGenerationEngine _engine;
    private readonly CheckpointWriter _checkpoints;
    private readonly int _checkpointInterval;
    private readonly ILogger _logger;
    private readonly ResiliencePipeline _retries;

    public OutputGenerator(
        IGenerationEngine engine,
        CheckpointWriter checkpoints,
        WorkerOptions options,
        TimeProvider time,
        ILogger<OutputGenerator> logger
    )
    {
        _engine = engine;
        _checkpoints = checkpoints;
        _checkpointInterval = options.CheckpointTokens;
        _logger = logger;
        _retries = options.EngineRetries == 0 ? ResiliencePipeline.Empty : CreateRetries(options.EngineRetries, time);
    }

    /// <summary>Runs the outputs to their ends. Saved checkpoints of the job are gone on from.</summary>
    /// <param name="job">The job.</param>
    /// <param name="requests">One for each output.</param>
    /// <exception cref="EngineFailureException">The engine failed, more often than it is tried again, or has broken down.</exception>
    /// <exception cref="ArgumentException">The request can never run.</exception>
    /// <exception cref="OperationCanceledException">The job was interrupted without a result, or the engine was shut down.</exception>
    public async Task<GenerationResult[]> GenerateAsync(HeldJob job, IReadOnlyList<GenerationRequest> requests) =>
        requests is [var only]
            ? [await GenerateChoiceAsync(job, only, 0)]
            : await Task.WhenAll(requests.Select((request, choice) => GenerateChoiceAsync(job, request, choice)));

    /// <summary>
    /// What the checkpoints hold, as outputs that have ended for a reason. Nothing is computed: the engine lets go at once what has been
    /// cancelled before.
    /// </summary>
    public async Task<GenerationResult[]> ReadCheckpointsAsync(HeldJob job, IReadOnlyList<GenerationRequest> requests, FinishReason reason)
    {
        var control = new GenerationControl();
        control.Cancel();
        var results = await Task.WhenAll(requests.Select((request, choice) => RunAsync(job, request with { Control = control }, choice)));
        return [.. results.Select(result => result with { FinishReason = reason })];
    }

    /// <summary>
    /// Works through outputs once more, to learn what the draft would have said at every token, and adds what comes of it to their traces.
    /// An output that ended early or was drawn by rejection sampling, which would come out differently, has none; nor has one whose second
    /// pass fails, or is interrupted, or comes out differently all the same: a trace is not worth a job.
    /// </summary>
    public async Task<GenerationResult[]> SurveyAsync(HeldJob job, IReadOnlyList<GenerationRequest> requests, GenerationResult[] results) =>
        await Task.WhenAll(results.Select((result, choice) => SurveyAsync(job, requests[choice], result, choice)));

    private async Task<GenerationResult> SurveyAsync(HeldJob job, GenerationRequest request, GenerationResult result, int choice)
    {
        if (
            result.FinishReason is not (FinishReason.Stop or FinishReason.Length)
            || result.Trace.SamplingMode == SamplingMode.Rejection
            || _engine.Description.Draft is null
            || job.Interrupted.IsCancellationRequested
        )
        {
            return result;
        }

        try
        {
            var survey = await _engine.GenerateAsync(Survey(request), job.Interrupted);
            if (survey.TokenIds.SequenceEqual(result.TokenIds))
            {
                return result with { Trace = result.Trace with { Survey = survey.Trace } };
            }

            _logger.SurveyDiffers(job.Lease.JobId, choice);
        }
        catch (Exception exception) when (exception is EngineFailureException or OperationCanceledException)
        {
            _logger.SurveyFailed(job.Lease.JobId, choice, exception.Message);
        }

        return result;
    }

    private static GenerationRequest Survey(GenerationRequest request) =>
        request with
        {
            IsSurvey = true,
            Policy = LongestPolicy,
            Proposer = Proposer.Draft,
        };

    private async Task<GenerationResult> GenerateChoiceAsync(HeldJob job, GenerationRequest request, int choice)
    {
        request = request with { Control = job.AddOutput(_checkpointInterval, checkpoint => _checkpoints.Add(job, choice, checkpoint)) };
        var context = ResilienceContextPool.Shared.Get(job.Interrupted);
        context.Properties.Set(JobId, job.Lease.JobId);
        try
        {
            return await _retries.ExecuteAsync(
                static async (_, work) => await work.Generator.RunAsync(work.Job, work.Request, work.Choice),
                context,
                (Generator: this, Job: job, Request: request, Choice: choice)
            );
        }
        catch
        {
            job.StopOutputs();
            throw;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async Task<GenerationResult> RunAsync(HeldJob job, GenerationRequest request, int choice)
    {
        if (job.Checkpoints.Find(choice) is { } checkpoint)
        {
            try
            {
                return await _engine.GenerateAsync(request with { ResumeFrom = checkpoint }, job.Abandoned);
            }
            catch (Exception exception) when (exception is not OperationCanceledException and not EngineFailureException)
            {
                _logger.CheckpointRefused(job.Lease.JobId, choice, exception.Message); // of another model or setting, or damaged
                job.Checkpoints.Forget(choice);
            }
        }

        return await _engine.GenerateAsync(request, job.Abandoned);
    }

    private ResiliencePipeline CreateRetries(int retries, TimeProvider time) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(
                new RetryStrategyOptions
                {
                    ShouldHandle = new PredicateBuilder().Handle<EngineFailureException>(_ => !_engine.BrokenDown.IsCancellationRequested),
                    MaxRetryAttempts = retries,
                    BackoffType = DelayBackoffType.Exponential,
                    Delay = FirstRetryDelay,
                    MaxDelay = LongestRetryDelay,
                    UseJitter = true,
                    OnRetry = attempt =>
                    {
                        attempt.Context.Properties.TryGetValue(JobId, out var jobId);
                        PipelineMeter.AddRetry();
                        _logger.EngineRetried(jobId, attempt.AttemptNumber + 1, attempt.Outcome.Exception);
                        return ValueTask.CompletedTask;
                    },
                }
            )
            .Build();
}
