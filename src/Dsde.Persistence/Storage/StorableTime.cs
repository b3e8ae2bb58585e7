namespace Dsde.Persistence.Storage;

/// <summary>Times as the databases keep them.</summary>
internal static class StorableTime
{
    /// <summary>Now in whole microseconds: what is stored comes back equal.</summary>
    public static DateTimeOffset GetStorableNow(this TimeProvider time)
    {
        var now = time.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
