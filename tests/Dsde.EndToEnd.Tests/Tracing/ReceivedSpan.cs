namespace Dsde.EndToEnd.Tests.Tracing;

/// <summary>A span as a collector has it; ids are hexadecimal, times in milliseconds.</summary>
internal sealed record ReceivedSpan(
    string Service,
    string Scope,
    string TraceId,
    string SpanId,
    string ParentId,
    string Name,
    OtlpTraces.SpanKind Kind,
    double Start,
    double End,
    bool IsError,
    string StatusText
)
{
    public required IReadOnlyDictionary<string, object?> Attributes { get; init; }

    /// <summary>The spans that it is tied to, by trace and id.</summary>
    public required IReadOnlyList<(string TraceId, string SpanId)> Links { get; init; }

    public object? this[string attribute] => Attributes.GetValueOrDefault(attribute);

    public static ReceivedSpan Of(OtlpTraces.ResourceSpans resource, OtlpTraces.ScopeSpans scope, OtlpTraces.Span span) =>
        new(
            $"{ToDictionary(resource.Resource?.Attributes ?? []).GetValueOrDefault("service.name")}",
            scope.Scope?.Name ?? "",
            Convert.ToHexStringLower(span.TraceId),
            Convert.ToHexStringLower(span.SpanId),
            Convert.ToHexStringLower(span.ParentSpanId),
            span.Name,
            span.Kind,
            span.StartNanoseconds / 1e6,
            span.EndNanoseconds / 1e6,
            span.Status?.Code == 2,
            span.Status?.Message ?? ""
        )
        {
            Attributes = ToDictionary(span.Attributes),
            Links = [.. span.Links.Select(link => (Convert.ToHexStringLower(link.TraceId), Convert.ToHexStringLower(link.SpanId)))],
        };

    private static Dictionary<string, object?> ToDictionary(IEnumerable<OtlpTraces.KeyValue> attributes) =>
        attributes.ToDictionary(attribute => attribute.Key, attribute => attribute.Value?.ToObject());
}
