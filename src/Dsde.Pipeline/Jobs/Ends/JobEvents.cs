using System.Text.Json;
using System.Text.Json.Serialization;
using Dsde.Contracts;
using Dsde.Engine.Sampling;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>
/// The event that announces a job's end, made from what is stored: told again, it is the same event with the same message id.
/// </summary>
internal static class JobEvents
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The event, with the whole text however long, of a job of which only the database is asked.</summary>
    public static object Create(StoredJob job) => Create(job, job.Request is null ? null : CanonicalRequest.Read(job.Request));

    /// <summary>The event, with the whole text however long.</summary>
    /// <param name="job">With its end.</param>
    /// <param name="request">What was asked for; null if nobody knows.</param>
    public static object Create(StoredJob job, SubmitGenerationJob? request)
    {
        var endedAt = job.EndedAt ?? throw new ArgumentException($"Job {job.JobId} has not ended.", nameof(job));
        return job.State switch
        {
            JobState.Completed => CreateCompleted(job, request, endedAt),
            JobState.Failed => CreateFailed(
                job.JobId,
                job.BatchId,
                job.CustomId,
                job.Failure ?? throw new ArgumentException($"Failed job {job.JobId} has no reason.", nameof(job)),
                request?.Metadata,
                endedAt
            ),
            JobState.Cancelled => new GenerationJobCancelled
            {
                JobId = job.JobId,
                BatchId = job.BatchId,
                CustomId = job.CustomId,
                Reason = job.CancelReason ?? "cancelled",
                Text = job.Outputs.Count == 0 ? null : job.Outputs[0].Text,
                Usage = job.Outputs.Count == 0 ? null : CountTokens(job.Outputs),
                Choices = job.Outputs.Count <= 1 ? null : CreateChoices(job, request),
                Metadata = request?.Metadata,
                CancelledAt = endedAt,
            },
            _ => throw new ArgumentException($"Job {job.JobId} is {job.State}.", nameof(job)),
        };
    }

    /// <summary>The event of a failure.</summary>
    public static GenerationJobFailed CreateFailed(
        Guid jobId,
        Guid? batchId,
        string? customId,
        JobFailure failure,
        IReadOnlyDictionary<string, string>? metadata,
        DateTimeOffset failedAt
    ) =>
        new()
        {
            JobId = jobId,
            BatchId = batchId,
            CustomId = customId,
            Code = failure.Code,
            Message = failure.Message,
            Retryable = failure.Retryable,
            Metadata = metadata,
            FailedAt = failedAt,
        };

    /// <summary>
    /// The event without what makes it large, so that it is at most some tens of KiB: texts and series of tokens are where they are stored,
    /// which it says. Null if there is nothing to leave out.
    /// </summary>
    public static object? WithoutOutputs(object jobEvent) =>
        jobEvent switch
        {
            GenerationJobCompleted completed => completed with
            {
                Text = null,
                TokenIds = null,
                PromptTokenIds = null,
                TokenLogProbabilities = null,
                TopLogProbabilities = null,
                TokenBytes = null,
                Choices = WithoutOutputs(completed.Choices),
                TextLocation = PlaceOf(completed.JobId),
            },
            GenerationJobCancelled { Usage: not null } cancelled => cancelled with
            {
                Text = null,
                Choices = WithoutOutputs(cancelled.Choices),
                TextLocation = PlaceOf(cancelled.JobId),
            },
            _ => null,
        };

    /// <summary>Bytes of the event as JSON, without the envelope.</summary>
    public static long CountBytes(object jobEvent)
    {
        using var counter = new CountingStream();
        JsonSerializer.Serialize(counter, jobEvent, jobEvent.GetType(), Json);
        return counter.Length;
    }

    /// <summary>
    /// The message id: from the job and its outcome, and from how often an end was taken back, because the next one is another event.
    /// </summary>
    public static Guid MessageIdOf(Guid id, object jobEvent, int reopenings)
    {
        var name = jobEvent.GetType().Name;
        return NameBasedGuid.Create(id, reopenings == 0 ? name : $"{name}/{reopenings}");
    }

    private static GenerationJobCompleted CreateCompleted(StoredJob job, SubmitGenerationJob? request, DateTimeOffset endedAt)
    {
        if (job.Outputs.Count == 0 || (job.Traces.Count != job.Outputs.Count && job.Traces.Count > 0)) // none once they are pruned
        {
            throw new ArgumentException(
                $"Completed job {job.JobId} has {job.Outputs.Count} outputs and {job.Traces.Count} traces.",
                nameof(job)
            );
        }

        var output = job.Outputs[0];
        var last = job.Traces.MaxBy(trace => trace.TotalMs);
        return new GenerationJobCompleted
        {
            JobId = job.JobId,
            BatchId = job.BatchId,
            CustomId = job.CustomId,
            Model = job.Model ?? "",
            Text = output.Text,
            FinishReason = output.FinishReason,
            Usage = CountTokens(job.Outputs),
            Timings = last is null
                ? null
                : new GenerationTimings
                {
                    WaitingMs = last.WaitingMs,
                    PrefillMs = last.PrefillMs,
                    DraftMs = last.DraftMs,
                    VerifyMs = last.VerifyMs,
                    SamplingMs = last.SamplingMs,
                    TotalMs = last.TotalMs,
                },
            Speculation = last is null ? null : Summarize(job.Traces),
            TokenIds = output.TokenIds,
            PromptTokenIds = output.PromptTokenIds,
            TokenLogProbabilities = Widen(output.TokenLogProbabilities),
            TopLogProbabilities = RankTokens(output),
            TokenBytes = UnpackTokens(job.Outputs),
            Choices = job.Outputs.Count == 1 ? null : CreateChoices(job, request),
            Metadata = request?.Metadata,
            CompletedAt = endedAt,
        };
    }

    private static GenerationChoice[] CreateChoices(StoredJob job, SubmitGenerationJob? request)
    {
        var seed = unchecked((ulong)(request?.Seed ?? SamplingConversion.SeedOf(job.JobId)));
        var prompts = job.Outputs.DistinctBy(output => output.PromptIndex).ToList();
        return
        [
            .. job.Outputs.Select(
                (output, index) =>
                    new GenerationChoice
                    {
                        Index = index,
                        PromptIndex = output.PromptIndex,
                        Text = output.Text,
                        FinishReason = output.FinishReason,
                        CompletionTokens = output.CompletionTokens,
                        Seed = unchecked((long)ChoiceSeeds.Of(seed, index)),
                        TokenIds = output.TokenIds,
                        PromptTokenIds = prompts.Count > 1 ? prompts[output.PromptIndex].PromptTokenIds : null,
                        TokenLogProbabilities = Widen(output.TokenLogProbabilities),
                        TopLogProbabilities = RankTokens(output),
                    }
            ),
        ];
    }

    /// <summary>Stored one after the other; equally many at each token.</summary>
    private static List<IReadOnlyList<TopLogProbability>>? RankTokens(JobOutput output) =>
        output is not { TopTokenIds: { } ids, TopLogProbabilities: { } values, CompletionTokens: > 0 and var positions }
            ? null
            :
            [
                .. ids.Zip(values, (id, value) => new TopLogProbability { TokenId = id, LogProbability = value })
                    .Chunk(Math.Max(1, ids.Length / positions)),
            ];

    /// <summary>Each token once, whatever the number of outputs that have it.</summary>
    private static List<TokenBytes>? UnpackTokens(IReadOnlyList<JobOutput> outputs) =>
        outputs[0].TokenBytes is null
            ? null
            : [.. outputs.SelectMany(output => PackedTokens.Unpack(output.TokenBytes ?? [])).DistinctBy(token => token.TokenId)];

    private static string PlaceOf(Guid jobId) => $"generation_jobs/{jobId}";

    /// <summary>Tokens of a job's outputs; a prompt counts once, however many of them it has.</summary>
    public static GenerationUsage CountTokens(IReadOnlyList<JobOutput> outputs) =>
        new()
        {
            PromptTokens = outputs.DistinctBy(output => output.PromptIndex).Sum(output => output.PromptTokens),
            CompletionTokens = outputs.Sum(output => output.CompletionTokens),
        };

    private static double[]? Widen(float[]? values) => values?.Select(value => (double)value).ToArray();

    private static List<GenerationChoice>? WithoutOutputs(IReadOnlyList<GenerationChoice>? choices) =>
        choices
            ?.Select(choice =>
                choice with
                {
                    Text = null,
                    TokenIds = null,
                    PromptTokenIds = null,
                    TokenLogProbabilities = null,
                    TopLogProbabilities = null,
                }
            )
            .ToList();

    /// <summary>Counts are sums over the outputs; policy, proposer, mode and seed are those of the first.</summary>
    private static SpeculationSummary Summarize(IReadOnlyList<TraceSummary> traces)
    {
        int proposed = traces.Sum(trace => trace.Proposed),
            accepted = traces.Sum(trace => trace.Accepted),
            iterations = traces.Sum(trace => trace.Iterations),
            speculating = traces.Sum(trace => trace.SpeculatingIterations),
            drafted = traces.Sum(trace => trace.Drafted);
        return new SpeculationSummary
        {
            Policy = traces[0].Policy,
            Proposer = traces[0].Proposer,
            SamplingMode = traces[0].SamplingMode,
            Seed = traces[0].Seed,
            Iterations = iterations,
            SpeculatingIterations = speculating,
            Paid = traces[0].IsGuarded && iterations > 0 ? 2 * speculating > iterations : null,
            Proposed = proposed,
            Accepted = accepted,
            LookupProposed = traces.Sum(trace => trace.LookupProposed),
            LookupAccepted = traces.Sum(trace => trace.LookupAccepted),
            Forced = traces.Sum(trace => trace.Forced),
            AcceptanceRate = proposed == 0 ? null : (double)accepted / proposed,
            // The prompt's own pass emits the first token of each and is not counted.
            BlockEfficiency = iterations == 0 ? 1 : traces.Sum(trace => trace.CompletionTokens - 1) / (double)iterations,
            MeanKld =
                drafted == 0 ? null
                : traces.Count == 1 ? traces[0].MeanKld
                : traces.Sum(trace => trace.Drafted * (double)(trace.MeanKld ?? 0)) / drafted,
        };
    }
}
