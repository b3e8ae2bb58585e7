namespace Dsde.Engine.Tokenization.Chats;

/// <summary>One moment, for renderings that are compared.</summary>
/// <param name="time">The clock that says which.</param>
internal sealed class FrozenTime(TimeProvider time) : TimeProvider
{
    private readonly DateTimeOffset _now = time.GetUtcNow();

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone { get; } = time.LocalTimeZone;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _now;
}
