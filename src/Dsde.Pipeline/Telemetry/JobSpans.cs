using System.Diagnostics;
using Dsde.Engine.Telemetry;
using Dsde.Persistence.Jobs;

namespace Dsde.Pipeline.Telemetry;

/// <summary>
/// Spans of the life of a job, in the trace of who submitted it: delivery, and in it claim, generation, storing, publishing. They carry ids
/// and counts, never a text. Nobody listening, they cost nothing but for jobs that come with a trace.
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

    /// <summary>From a delivery to its acknowledgement.</summary>
    /// <param name="queue">Where it came from.</param>
    /// <param name="submitter">The trace that the message came with.</param>
    /// <param name="jobId">The job.</param>
    public static Activity? StartDelivery(string queue, ActivityContext submitter, Guid jobId)
    {
        if (Source.HasListeners() && Source.StartActivity($"process {queue}", ActivityKind.Consumer, submitter) is { } recorded)
        {
            return recorded
                .SetTag("messaging.system", "rabbitmq")
                .SetTag("messaging.operation.type", "process")
                .SetTag("messaging.destination.name", queue)
                .SetTag(JobIdTag, jobId);
        }

        return submitter == default
            ? null
            : new Activity("pass") { TraceStateString = submitter.TraceState }
                .SetParentId(submitter.TraceId, submitter.SpanId, submitter.TraceFlags)
                .Start();
    }

    /// <summary>A part of the current delivery.</summary>
    public static Activity? Start(string name) => Source.HasListeners() ? Source.StartActivity(name) : null;

    /// <summary>From the decision to tell an event until the broker has it.</summary>
    public static Activity? StartPublication(string eventName) =>
        Source.HasListeners()
            ? Source
                .StartActivity($"publish {eventName}", ActivityKind.Producer)
                ?.SetTag("messaging.system", "rabbitmq")
                .SetTag("messaging.operation.type", "publish")
                .SetTag("messaging.destination.name", eventName)
            : null;

    /// <summary>Ties the current delivery to the job's first one, if that was in another trace.</summary>
    public static void LinkToFirst(string? traceParent)
    {
        if (
            Activity.Current is { IsAllDataRequested: true } current
            && ActivityContext.TryParse(traceParent, null, isRemote: true, out var first)
            && first.TraceId != current.TraceId
        )
        {
            current.AddLink(new ActivityLink(first));
        }
    }

    /// <summary>
    /// Divides the current generation into an output's waiting for a slot, its prompt (up to the first token) and its decoding, which are
    /// known
    /// only when it has ended.
    /// </summary>
    /// <param name="times">What is known.</param>
    /// <param name="choice">Which of the job's outputs it is.</param>
    /// <param name="ended">When it ended.</param>
    public static void AddPhases(GenerationTimes times, int choice, DateTimeOffset ended)
    {
        if (!Source.HasListeners() || Activity.Current is not { } generation)
        {
            return;
        }

        var arrived = ended - TimeSpan.FromMilliseconds(times.TotalMs);
        var (admitted, first) = (
            At(Math.Min(times.WaitingMs, times.FirstTokenMs ?? times.TotalMs)),
            At(times.FirstTokenMs ?? times.TotalMs)
        );
        Add("wait", arrived, admitted);
        Add("prefill", admitted, first);
        Add("decode", first, ended);

        DateTimeOffset At(double milliseconds) => arrived + TimeSpan.FromMilliseconds(milliseconds);

        void Add(string name, DateTimeOffset from, DateTimeOffset to)
        {
            using var phase = Source
                .StartActivity(name, ActivityKind.Internal, generation.Context, startTime: from)
                ?.SetTag("dsde.output", choice)
                .SetEndTime(to.UtcDateTime);
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
        if (end.Outputs.Count > 0)
        {
            span.SetTag("gen_ai.usage.input_tokens", end.Outputs[0].PromptTokens)
                .SetTag("gen_ai.usage.output_tokens", end.Outputs.Sum(output => output.CompletionTokens));
            span.SetTag("dsde.iterations", end.Traces.Sum(trace => trace.Iterations));
            span.SetTag("dsde.proposed", end.Traces.Sum(trace => trace.Proposed))
                .SetTag("dsde.accepted", end.Traces.Sum(trace => trace.Accepted));
        }
    }
}
