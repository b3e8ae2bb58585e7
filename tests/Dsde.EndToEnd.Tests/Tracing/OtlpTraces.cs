using ProtoBuf;

namespace Dsde.EndToEnd.Tests.Tracing;

/// <summary>
/// What an exporter sends to <c>/v1/traces</c>, as far as tests look at it: the fields of opentelemetry/proto/collector/trace/v1 by their
/// numbers.
/// </summary>
[ProtoContract]
internal sealed class OtlpTraces
{
    [ProtoMember(1)]
    public List<ResourceSpans> Resources { get; } = [];

    [ProtoContract]
    public sealed class ResourceSpans
    {
        [ProtoMember(1)]
        public Resource? Resource { get; set; }

        [ProtoMember(2)]
        public List<ScopeSpans> Scopes { get; } = [];
    }

    [ProtoContract]
    public sealed class Resource
    {
        [ProtoMember(1)]
        public List<KeyValue> Attributes { get; } = [];
    }

    [ProtoContract]
    public sealed class ScopeSpans
    {
        [ProtoMember(1)]
        public Scope? Scope { get; set; }

        [ProtoMember(2)]
        public List<Span> Spans { get; } = [];
    }

    [ProtoContract]
    public sealed class Scope
    {
        [ProtoMember(1)]
        public string Name { get; set; } = "";
    }

    [ProtoContract]
    public sealed class Span
    {
        [ProtoMember(1)]
        public byte[] TraceId { get; set; } = [];

        [ProtoMember(2)]
        public byte[] SpanId { get; set; } = [];

        [ProtoMember(3)]
        public string TraceState { get; set; } = "";

        [ProtoMember(4)]
        public byte[] ParentSpanId { get; set; } = [];

        [ProtoMember(5)]
        public string Name { get; set; } = "";

        [ProtoMember(6)]
        public SpanKind Kind { get; set; }

        [ProtoMember(7, DataFormat = DataFormat.FixedSize)]
        public ulong StartNanoseconds { get; set; }

        [ProtoMember(8, DataFormat = DataFormat.FixedSize)]
        public ulong EndNanoseconds { get; set; }

        [ProtoMember(9)]
        public List<KeyValue> Attributes { get; } = [];

        [ProtoMember(13)]
        public List<Link> Links { get; } = [];

        [ProtoMember(15)]
        public Status? Status { get; set; }
    }

    public enum SpanKind
    {
        Unspecified = 0,
        Internal = 1,
        Server = 2,
        Client = 3,
        Producer = 4,
        Consumer = 5,
    }

    [ProtoContract]
    public sealed class Link
    {
        [ProtoMember(1)]
        public byte[] TraceId { get; set; } = [];

        [ProtoMember(2)]
        public byte[] SpanId { get; set; } = [];
    }

    [ProtoContract]
    public sealed class Status
    {
        [ProtoMember(2)]
        public string Message { get; set; } = "";

        [ProtoMember(3)]
        public int Code { get; set; } // 2: error
    }

    [ProtoContract]
    public sealed class KeyValue
    {
        [ProtoMember(1)]
        public string Key { get; set; } = "";

        [ProtoMember(2)]
        public AnyValue? Value { get; set; }
    }

    /// <summary>One of them is there.</summary>
    [ProtoContract]
    public sealed class AnyValue
    {
        [ProtoMember(1)]
        public string? Text { get; set; }

        [ProtoMember(2)]
        public bool? Truth { get; set; }

        [ProtoMember(3)]
        public long? Whole { get; set; }

        [ProtoMember(4)]
        public double? Number { get; set; }

        [ProtoMember(5)]
        public ArrayValue? Array { get; set; }

        public object? ToObject() => Text ?? Truth ?? Whole ?? Number ?? (object?)Array?.Values.Select(value => value.ToObject()).ToArray();
    }

    [ProtoContract]
    public sealed class ArrayValue
    {
        [ProtoMember(1)]
        public List<AnyValue> Values { get; } = [];
    }
}
