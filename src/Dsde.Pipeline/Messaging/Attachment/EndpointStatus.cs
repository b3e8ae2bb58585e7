namespace Dsde.Pipeline.Messaging.Attachment;

/// <summary>What is known of an endpoint of the bus.</summary>
/// <param name="Queue">Its queue.</param>
/// <param name="DetachedSince">Since when it has no consumer in the broker; null while it has one.</param>
/// <param name="Reason">Why it has none.</param>
/// <param name="LastDelivery">When a message came last; null if none has.</param>
internal readonly record struct EndpointStatus(string Queue, DateTimeOffset? DetachedSince, string Reason, DateTimeOffset? LastDelivery)
{
    /// <summary>Whether messages can come.</summary>
    public bool IsAttached => DetachedSince is null;

    /// <summary>For people.</summary>
    public string Describe(DateTimeOffset now)
    {
        var delivery = LastDelivery is { } last ? $"last delivery {(now - last).TotalSeconds:0} s ago" : "no delivery yet";
        return DetachedSince is { } since
            ? $"{Queue} has no consumer since {since.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ} ({(now - since).TotalSeconds:0} s, "
                + $"{delivery}): {Reason}"
            : $"{Queue} attached, {delivery}";
    }
}
