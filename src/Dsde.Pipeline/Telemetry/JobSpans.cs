using System.Diagnostics;
using Dsde.Contracts;
using Dsde.Engine.Telemetry;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Jobs.Ends;
using MassTransit;

namespace Dsde.Pipeline.Telemetry;

/// <summary>
/// Spans of the life of a job, in the trace of who submitted it: delivery, and in it claim, generation, storing, publishing. Names and
/// attributes are those of OpenTelemetry's conventions for messaging and generative AI, and <c>dsde.…</c> where these have none. They carry
/// ids and counts, never a text. Nobody listening, they cost nothing but for jobs that come with a trace.
/// </summary>
internal static class JobSpans
{
    public const string SourceName = "Dsde.Worker";

    public const string JobIdTag = "dsde.job_id";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>
    /// The trace context that rows and messages made now carry on: the current span's if spans are recorded here, otherwise the one that
    /// the job came with, as this program is no part of the trace then.
    /// </summary>
    public static string? TraceParent =>
        Activity.Current is not { } current ? null
        : current.Source == Source ? current.Id
        : current.ParentId;

    /// <summary>What goes with it from system to system.</summary>
    public static string? TraceState => Activity.Current?.TraceStateString;

    /// <summary>
    /// From the decision to send a job until the broker has it: the beginning of the job's trace. A batch's jobs have a trace each.
    /// </summary>
    /// <param name="exchange">Where it goes.</param>
    /// <param name="jobId">The job, which is the message's id as well.</param>
    public static Activity? StartSubmission(string exchange, Guid jobId) =>
        Source.HasListeners()
            ? Source
                .StartActivity($"send {exchange}", ActivityKind.Producer)
                ?.SetMessaging("send", "send", exchange)
                .SetTag("messaging.message.id", jobId)
                .SetTag(JobIdTag, jobId)
            : null;

    /// <summary>From a delivery to its acknowledgement.</summary>
    /// <param name="queue">Where it came from.</param>
    /// <param name="submitter">The trace that the message came with.</param>
    /// <param name="jobId">The job.</param>
    public static Activity? StartDelivery(string queue, ActivityContext submitter, Guid jobId)
    {
        if (Source.HasListeners() && Source.StartActivity($"process {queue}", ActivityKind.Consumer, submitter) is { } recorded)
        {
            return recorded.SetMessaging("process", "process", queue).SetTag(JobIdTag, jobId);
        }

        return submitter == default
            ? null
            : new Activity("pass") { TraceStateString = submitter.TraceState }
                .SetParentId(submitter.TraceId, submitter.SpanId, submitter.TraceFlags)
                .Start();
    }

    /// <summary>A part of the current delivery.</summary>
    public static Activity? Start(string name) => Source.HasListeners() ? Source.StartActivity(name) : null;

    /// <summary>From the engine's getting a job until it has an end.</summary>
    /// <param name="job">What was asked for; its texts, and its model unless it is one of those, are nobody's business here.</param>
    /// <param name="models">Aliases of the settings.</param>
    public static Activity? StartGeneration(SubmitGenerationJob job, IReadOnlyCollection<string> models)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var operation = job.Messages is null ? "text_completion" : "chat";
        var model = models.Contains(job.Model) ? job.Model : null;
        return Source
            .StartActivity(model is null ? operation : $"{operation} {model}")
            ?.SetTag("gen_ai.operation.name", operation)
            .SetTag("gen_ai.provider.name", "dsde")
            .SetTag("gen_ai.request.model", model)
            .SetTag("gen_ai.request.choice.count", job.ChoiceCount is > 1 ? job.ChoiceCount : null)
            .SetTag("gen_ai.request.max_tokens", job.MaxTokens)
            .SetTag("gen_ai.request.temperature", job.Temperature)
            .SetTag("gen_ai.request.top_p", job.TopP)
            .SetTag("gen_ai.request.top_k", job.TopK)
            .SetTag("gen_ai.request.presence_penalty", job.PresencePenalty)
            .SetTag("gen_ai.request.frequency_penalty", job.FrequencyPenalty)
            .SetTag("gen_ai.request.seed", job.Seed);
    }

    /// <summary>From the decision to tell an event until the broker has it.</summary>
    /// <param name="exchange">Where it goes.</param>
    /// <param name="messageId">Its id.</param>
    public static Activity? StartPublication(string exchange, Guid messageId) =>
        Source.HasListeners()
            ? Source
                .StartActivity($"publish {exchange}", ActivityKind.Producer)
                ?.SetMessaging("publish", "send", exchange)
                .SetTag("messaging.message.id", messageId)
            : null;

    /// <summary>Says of a delivery which message it is of, and by which broker it came.</summary>
    public static Activity? Describe(this Activity? delivery, ReceiveContext message, Guid? messageId)
    {
        if (delivery?.Source != Source)
        {
            return delivery;
        }

        delivery.SetTag("messaging.message.id", messageId).SetTag("messaging.message.body.size", message.Body.Length);
        return message.InputAddress is { Scheme: not "loopback" } address
            ? delivery.SetTag("server.address", address.Host).SetTag("server.port", address.IsDefaultPort ? null : address.Port)
            : delivery;
    }

    /// <summary>Says what a delivery has come to.</summary>
    public static void Conclude(this Activity? delivery, JobOutcome outcome) =>
        delivery?.SetTag(
            "dsde.outcome",
            outcome switch
            {
                JobOutcome.Ended { Job.State: JobState.Completed } => "completed",
                JobOutcome.Ended { Job.State: JobState.Failed } => "failed",
                JobOutcome.Ended => "cancelled",
                JobOutcome.Conflict => "conflict",
                JobOutcome.HandedBack => "handed_back",
                _ => "held_elsewhere",
            }
        );

    /// <summary>Says that something failed, by what.</summary>
    public static void Fail(this Activity? span, string errorType) =>
        span?.SetStatus(ActivityStatusCode.Error).SetTag("error.type", errorType);

    /// <summary>
    /// Says of the current delivery which start of its job it is, and ties it to the first delivery, whether that was in another trace or
    /// in the same.
    /// </summary>
    /// <param name="claimed">What is known of the job.</param>
    public static void NoteClaim(ClaimResult.Claimed claimed)
    {
        if (Activity.Current is not { IsAllDataRequested: true } current || current.Source != Source)
        {
            return;
        }

        current.SetTag("dsde.attempt", claimed.Attempt);
        if (ActivityContext.TryParse(claimed.TraceParent, null, isRemote: true, out var first) && first.SpanId != current.SpanId)
        {
            current.AddLink(new ActivityLink(first));
        }
    }

    /// <summary>
    /// Divides the current generation into an output's waiting for a slot, its prompt (up to the first token) and its decoding, which are
    /// known only when it has ended. Of an output that goes on from a checkpoint the prompt is what it goes on from, and the time is its
    /// passes'.
    /// </summary>
    /// <param name="trace">What is known.</param>
    /// <param name="earlier">What of it belongs to an earlier run; null for nothing.</param>
    /// <param name="choice">Which of the job's outputs it is.</param>
    /// <param name="ended">When it ended.</param>
    public static void AddPhases(GenerationTrace trace, GenerationTrace? earlier, int choice, DateTimeOffset ended)
    {
        if (!Source.HasListeners() || Activity.Current is not { } generation)
        {
            return;
        }

        var (times, before) = (trace.Times, earlier?.Times ?? default);
        var total = times.TotalMs - before.TotalMs;
        var waiting = Math.Clamp(times.WaitingMs - before.WaitingMs, 0, total);
        var first = before.FirstTokenMs is null
            ? (times.FirstTokenMs ?? times.TotalMs) - before.TotalMs
            : waiting + times.PrefillMs - before.PrefillMs;
        first = Math.Clamp(first, waiting, total);
        Add("wait", 0, waiting);
        Add(
            "prefill",
            waiting,
            first,
            ("gen_ai.usage.input_tokens", trace.PromptTokens),
            ("dsde.prompt_tokens_reused", trace.ReusedPromptTokens),
            ("dsde.tokens_resumed", earlier?.CompletionTokens)
        );
        Add(
            "decode",
            first,
            total,
            ("gen_ai.usage.output_tokens", trace.CompletionTokens),
            ("dsde.policy", trace.Policy),
            ("dsde.iterations", trace.Iterations.SpeculationLength.Length),
            ("dsde.proposed", trace.Proposed),
            ("dsde.accepted", trace.Accepted)
        );

        void Add(string name, double fromMs, double toMs, params ReadOnlySpan<(string Name, object? Value)> tags)
        {
            var arrived = ended - TimeSpan.FromMilliseconds(total);
            var from = arrived + TimeSpan.FromMilliseconds(fromMs);
            using var phase = Source.StartActivity(name, ActivityKind.Internal, generation.Context, startTime: from);
            phase?.SetTag("dsde.output", choice).SetEndTime((arrived + TimeSpan.FromMilliseconds(toMs)).UtcDateTime);
            foreach (var (tag, value) in tags)
            {
                phase?.SetTag(tag, value);
            }
        }
    }

    /// <summary>Notes what a job's generation came to.</summary>
    public static void Count(this Activity? span, JobEnd? end)
    {
        if (span is not { IsAllDataRequested: true } || end is null)
        {
            return;
        }

        span.SetTag("dsde.outputs", end.Outputs.Count);
        if (end is FailedJobEnd { Failure.Code: var code })
        {
            span.Fail(code);
        }

        if (end.Outputs.Count > 0)
        {
            span.SetTag("gen_ai.response.finish_reasons", end.Outputs.Select(output => output.FinishReason).ToArray())
                .SetTag("gen_ai.usage.input_tokens", JobEvents.CountTokens(end.Outputs).PromptTokens)
                .SetTag("gen_ai.usage.output_tokens", end.Outputs.Sum(output => output.CompletionTokens))
                .SetTag("dsde.iterations", end.Traces.Sum(trace => trace.Iterations))
                .SetTag("dsde.proposed", end.Traces.Sum(trace => trace.Proposed))
                .SetTag("dsde.accepted", end.Traces.Sum(trace => trace.Accepted));
        }
    }

    private static Activity SetMessaging(this Activity span, string name, string type, string destination) =>
        span.SetTag("messaging.system", "rabbitmq")
            .SetTag("messaging.operation.name", name)
            .SetTag("messaging.operation.type", type)
            .SetTag("messaging.destination.name", destination);
}
