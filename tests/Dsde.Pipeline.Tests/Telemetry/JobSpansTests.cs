using System.Diagnostics;
using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Engine.Telemetry;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Telemetry;
using Dsde.Pipeline.Tests.Jobs;

namespace Dsde.Pipeline.Tests.Telemetry;

/// <summary>Spans with and without somebody who records them. Listeners are the whole process's, so nothing else runs meanwhile.</summary>
[Collection(nameof(JobSpansTests))]
[CollectionDefinition(nameof(JobSpansTests), DisableParallelization = true)]
public sealed class JobSpansTests
{
    private static readonly ActivityContext Submitter = new(
        ActivityTraceId.CreateRandom(),
        ActivitySpanId.CreateRandom(),
        ActivityTraceFlags.Recorded,
        "vendor=1",
        isRemote: true
    );

    private static readonly SubmitGenerationJob Job = new()
    {
        JobId = Guid.NewGuid(),
        Model = "a",
        Prompt = "b",
    };

    private readonly List<Activity> _ended = [];

    [Fact]
    public void Recorded_the_parts_of_a_delivery_are_in_the_submitters_trace_and_messages_carry_on_from_the_latest()
    {
        using var listener = Listen();
        var (jobId, messageId) = (Guid.NewGuid(), Guid.NewGuid());
        using (var delivery = JobSpans.StartDelivery("dsde-generation-jobs", Submitter, jobId).ShouldNotBeNull())
        {
            JobSpans.TraceParent.ShouldBe(delivery.Id);
            using (JobSpans.Start("claim")) { }

            using var publication = JobSpans.StartPublication("Events", messageId).ShouldNotBeNull();
            JobSpans.TraceParent.ShouldBe(publication.Id);
            JobSpans.TraceState.ShouldBe("vendor=1");
        }

        _ended
            .Select(span => (span.OperationName, span.Kind))
            .ShouldBe([
                ("claim", ActivityKind.Internal),
                ("publish Events", ActivityKind.Producer),
                ("process dsde-generation-jobs", ActivityKind.Consumer),
            ]);
        _ended.ShouldAllBe(span => span.TraceId == Submitter.TraceId);
        _ended[^1].ParentSpanId.ShouldBe(Submitter.SpanId);
        _ended[^1].GetTagItem(JobSpans.JobIdTag).ShouldBe(jobId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Recorded_a_later_delivery_is_tied_to_the_first_whether_in_the_same_trace_or_in_one_of_its_own(bool isInTrace)
    {
        using var listener = Listen();
        var submitter = isInTrace ? Submitter : default;
        string? first;
        using (JobSpans.StartDelivery("queue", submitter, Guid.NewGuid()))
        {
            first = JobSpans.TraceParent;
            JobSpans.NoteClaim(Claimed(1, first)); // as its own claim has stored it
        }

        using (JobSpans.StartDelivery("queue", submitter, Guid.NewGuid()))
        {
            JobSpans.NoteClaim(Claimed(2, first));
        }

        (_ended[1].TraceId == _ended[0].TraceId).ShouldBe(isInTrace);
        _ended[0].Links.ShouldBeEmpty();
        _ended[1].Links.ShouldHaveSingleItem().Context.SpanId.ShouldBe(_ended[0].SpanId);
        _ended.Select(span => span.GetTagItem("dsde.attempt")).ShouldBe([1, 2]);
    }

    [Fact]
    public void Recorded_an_output_that_went_on_from_a_checkpoint_has_phases_of_this_run_alone()
    {
        using var listener = Listen();
        var ended = DateTimeOffset.UnixEpoch.AddSeconds(100);
        var trace = Trace(
            new GenerationTimes
            {
                WaitingMs = 30,
                PrefillMs = 25,
                TotalMs = 10_100,
                FirstTokenMs = 500,
            }
        );
        var earlier = Trace(
            new GenerationTimes
            {
                WaitingMs = 10,
                PrefillMs = 5,
                TotalMs = 10_000,
                FirstTokenMs = 500,
            }
        );
        using (JobSpans.StartGeneration(Job, ["a"]))
        {
            JobSpans.AddPhases(trace, earlier, choice: 1, ended);
        }

        _ended
            .Take(3)
            .Select(span => (span.OperationName, span.StartTimeUtc.TimeOfDay.TotalMilliseconds, span.Duration.TotalMilliseconds))
            .ShouldBe([("wait", 99_900, 20), ("prefill", 99_920, 20), ("decode", 99_940, 60)]);
        _ended.Take(3).ShouldAllBe(span => span.ParentSpanId == _ended[3].SpanId && Equals(span.GetTagItem("dsde.output"), 1));
        _ended[1].GetTagItem("dsde.tokens_resumed").ShouldBe(3);
    }

    [Fact]
    public void Recorded_a_generation_names_the_model_only_if_it_is_one_of_the_settings_and_says_why_it_failed()
    {
        using var listener = Listen();
        using (var known = JobSpans.StartGeneration(Job, ["a"]))
        {
            known.Count(new FailedJobEnd(default, new JobFailure("engine_error", "a text", Retryable: true)));
        }

        using (JobSpans.StartGeneration(Job with { Model = "/etc/secret", Messages = [] }, ["a"])) { }

        _ended.Select(span => span.OperationName).ShouldBe(["text_completion a", "chat"]);
        _ended[0].Status.ShouldBe(ActivityStatusCode.Error);
        _ended[0].StatusDescription.ShouldBeNull();
        _ended[0].GetTagItem("error.type").ShouldBe("engine_error");
        _ended[1].TagObjects.ShouldNotContain(tag => $"{tag.Value}".Contains("secret"));
    }

    [Fact]
    public void Unrecorded_the_submitters_trace_is_passed_on_as_it_came_and_a_job_without_one_costs_nothing()
    {
        using (JobSpans.StartDelivery("queue", Submitter, Guid.NewGuid()))
        {
            JobSpans.Start("claim").ShouldBeNull();
            JobSpans.StartPublication("Events", Guid.NewGuid()).ShouldBeNull();
            JobSpans.TraceParent.ShouldBe($"00-{Submitter.TraceId}-{Submitter.SpanId}-01");
            JobSpans.TraceState.ShouldBe("vendor=1");
        }

        JobSpans.StartDelivery("queue", default, Guid.NewGuid()).ShouldBeNull();
        JobSpans.TraceParent.ShouldBeNull();
    }

    private static ClaimResult.Claimed Claimed(int attempt, string? traceParent) =>
        new(default, attempt) { CreatedAt = DateTimeOffset.UnixEpoch, TraceParent = traceParent };

    private static GenerationTrace Trace(GenerationTimes times) =>
        ScriptedEngine.Result(new GenerationRequest { PromptTokenIds = [1], MaxTokens = 3 }).Trace with
        {
            Times = times,
        };

    private ActivityListener Listen()
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == JobSpans.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Add,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
