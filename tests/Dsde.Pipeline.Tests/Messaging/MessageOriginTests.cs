using Dsde.Pipeline.Messaging;
using MassTransit;
using MassTransit.Serialization;

namespace Dsde.Pipeline.Tests.Messaging;

public sealed class MessageOriginTests
{
    private const string Parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    [Fact]
    public void The_transports_correlation_id_counts_before_the_envelopes()
    {
        var envelope = Guid.NewGuid();

        MessageOrigin.Of(Headers((MessageHeaders.CorrelationId, "invoice 4711")), envelope).CorrelationId.ShouldBe("invoice 4711");
        MessageOrigin.Of(Headers(), envelope).CorrelationId.ShouldBe($"{envelope}");
        MessageOrigin.Of(Headers(), null).CorrelationId.ShouldBeNull();
    }

    [Fact]
    public void A_correlation_id_that_grew_because_it_was_no_text_is_passed_over() =>
        MessageOrigin.Of(Headers((MessageHeaders.CorrelationId, new string('\uFFFD', 255))), null).CorrelationId.ShouldBeNull();

    [Theory]
    [InlineData("traceparent")]
    [InlineData("MT-Activity-Id")]
    public void A_trace_is_taken_from_W3Cs_header_or_from_MassTransits(string header)
    {
        var trace = MessageOrigin.Of(Headers((header, Parent), ("tracestate", "vendor=1")), null).Trace;

        $"00-{trace.TraceId}-{trace.SpanId}-01".ShouldBe(Parent);
        trace.TraceState.ShouldBe("vendor=1");
        trace.IsRemote.ShouldBeTrue();
    }

    [Theory]
    [InlineData("")]
    [InlineData("00-zz-00f067aa0ba902b7-01")]
    [InlineData("00-00000000000000000000000000000000-0000000000000000-00")]
    public void A_header_that_is_no_trace_is_none(string value) =>
        MessageOrigin.Of(Headers(("traceparent", value)), null).Trace.ShouldBe(default);

    private static DictionarySendHeaders Headers(params (string Name, string Value)[] values)
    {
        var headers = new DictionarySendHeaders();
        foreach (var (name, value) in values)
        {
            headers.Set(name, value);
        }

        return headers;
    }
}
