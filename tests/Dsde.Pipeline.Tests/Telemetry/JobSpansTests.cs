using System.Diagnostics;
using Dsde.Contracts;
using Dsde.Pipeline.Telemetry;

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

    private readonly List<Activity> _ended = [];

    [Fact]
    public void Recorded_the_parts_of_a_delivery_are_in_the_submitters_trace_and_messages_carry_on_from_the_latest()
    {
        using var listener = Listen();
        var jobId = Guid.NewGuid();
        using (var delivery = JobSpans.StartDelivery("dsde-generation-jobs", Submitter, jobId).ShouldNotBeNull())
        {
            JobSpans.TraceParent.ShouldBe(delivery.Id);
            using (JobSpans.Start("claim")) { }

            using var publication = JobSpans.StartPublication("GenerationJobCompleted").ShouldNotBeNull();
            JobSpans.TraceParent.ShouldBe(publication.Id);
            JobSpans.TraceState.ShouldBe("vendor=1");
        }

        _ended
            .Select(span => (span.OperationName, span.Kind))
            .ShouldBe([
                ("claim", ActivityKind.Internal),
                ("publish GenerationJobCompleted", ActivityKind.Producer),
                ("process dsde-generation-jobs", ActivityKind.Consumer),
            ]);
        _ended.ShouldAllBe(span => span.TraceId == Submitter.TraceId);
        _ended[^1].ParentSpanId.ShouldBe(Submitter.SpanId);
        _ended[^1].GetTagItem(JobSpans.JobIdTag).ShouldBe(jobId);
    }

    [Fact]
    public void Recorded_a_job_without_a_trace_begins_one_and_a_later_delivery_is_tied_to_it()
    {
        using var listener = Listen();
        string? first;
        using (JobSpans.StartDelivery("queue", default, Guid.NewGuid()))
        {
            first = JobSpans.TraceParent;
        }

        using (JobSpans.StartDelivery("queue", default, Guid.NewGuid()))
        {
            JobSpans.LinkToFirst(first);
        }

        _ended[1].TraceId.ShouldNotBe(_ended[0].TraceId);
        _ended[1].Links.ShouldHaveSingleItem().Context.SpanId.ShouldBe(_ended[0].SpanId);
    }

    [Fact]
    public void Unrecorded_the_submitters_trace_is_passed_on_as_it_came_and_a_job_without_one_costs_nothing()
    {
        using (JobSpans.StartDelivery("queue", Submitter, Guid.NewGuid()))
        {
            JobSpans.Start("claim").ShouldBeNull();
            JobSpans.StartPublication("GenerationJobCompleted").ShouldBeNull();
            JobSpans.TraceParent.ShouldBe($"00-{Submitter.TraceId}-{Submitter.SpanId}-01");
            JobSpans.TraceState.ShouldBe("vendor=1");
        }

        JobSpans.StartDelivery("queue", default, Guid.NewGuid()).ShouldBeNull();
        JobSpans.TraceParent.ShouldBeNull();
    }

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
