using Dsde.Contracts;
using Dsde.Testing;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests.Interop;

/// <summary>Services in other languages: raw JSON in, events out, correlation and traces kept.</summary>
public sealed class InteropTests(SharedWorker shared) : IClassFixture<SharedWorker>
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Parent = $"00-{Trace}-00f067aa0ba902b7-01";

    [Theory]
    [InlineData("0b9ae374-45c4-4bd3-8fe7-4a3ffb2a04d6", true)]
    [InlineData("0B9AE374-45C4-4BD3-8FE7-4A3FFB2A04D6", false)]
    [InlineData("invoice 4711/ü", false)]
    public async Task An_event_carries_the_submitters_correlation_id_as_it_was_written(string correlationId, bool isInEnvelope)
    {
        await using var tap = await shared.OpenTapAsync();
        var (good, bad) = (Guid.NewGuid(), Guid.NewGuid());
        var properties = new BasicProperties { CorrelationId = correlationId };

        await tap.PublishToAsync("dsde-generation-jobs", ShortJob(good), properties);
        await tap.PublishToAsync("dsde-generation-jobs", ShortJob(bad).Replace("dsde-demo", "other", StringComparison.Ordinal), properties);
        TappedEvent[] events = [await tap.WaitForJobAsync(good), await tap.WaitForJobAsync(bad)];
        await tap.PublishToAsync("dsde-generation-jobs", ShortJob(good), properties);
        await tap.WaitForAsync(3); // the first one, told again

        tap.Events.Select(item => item.Properties.CorrelationId).ShouldAllBe(id => id == correlationId);
        events.Select(item => item.Type).ShouldBe(["GenerationJobCompleted", "GenerationJobFailed"]);
        events.ShouldAllBe(item => item.EnvelopeCorrelationId == (isInEnvelope ? correlationId : null));
    }

    [Fact]
    public async Task Without_a_correlation_id_the_job_id_stands_for_it_and_a_header_that_is_no_trace_is_passed_over()
    {
        await using var tap = await shared.OpenTapAsync();
        var jobId = Guid.NewGuid();

        await tap.PublishToAsync(
            "dsde-generation-jobs",
            ShortJob(jobId),
            new BasicProperties
            {
                Headers = new Dictionary<string, object?> { ["traceparent"] = "no trace", ["tracestate"] = 7 },
            }
        );

        var told = await tap.WaitForJobAsync(jobId);
        told.Properties.CorrelationId.ShouldBe($"{jobId}");
        told.EnvelopeCorrelationId.ShouldBe($"{jobId}");
        told.Header("traceparent").ShouldBeNull();
    }

    [Fact]
    public async Task An_event_goes_on_with_the_trace_that_its_job_came_with()
    {
        await using var tap = await shared.OpenTapAsync();
        var jobId = Guid.NewGuid();

        await tap.PublishToAsync(
            "dsde-generation-jobs",
            ShortJob(jobId),
            new BasicProperties
            {
                Headers = new Dictionary<string, object?> { ["traceparent"] = Parent, ["tracestate"] = "vendor=1" },
            }
        );
        var told = await tap.WaitForJobAsync(jobId);

        told.Header("traceparent").ShouldBe(Parent); // nobody records spans here, so the worker is no part of the trace
        told.Header("MT-Activity-Id").ShouldBe(Parent);
        told.Header("tracestate").ShouldBe("vendor=1");
    }

    private static string ShortJob(Guid jobId) =>
        $$"""{"jobId":"{{jobId}}","model":"dsde-demo","prompt":"Q: Which day comes after Monday?\nA:","maxTokens":4,"temperature":0}""";
}
