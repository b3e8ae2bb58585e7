namespace Dsde.Persistence.Storage;

/// <summary>What is written in groups, and how.</summary>
internal sealed class GroupCommitOptions<TItem, TResult>
{
    /// <summary>
    /// Writes a group in one transaction; gives a result per item, in the same order. May be called again with what it has written before.
    /// </summary>
    public required Func<IReadOnlyList<TItem>, CancellationToken, Task<IReadOnlyList<TResult>>> Write { get; init; }

    /// <summary>Which item it is, when it comes again after it could not be written.</summary>
    public required Func<TItem, Guid> KeyOf { get; init; }

    /// <summary>About how many bytes an item sends.</summary>
    public required Func<TItem, long> SizeOf { get; init; }

    /// <summary>
    /// Called with a result that its caller no longer waits for, and throws nothing; null if nothing is to be done.
    /// </summary>
    public Func<TResult, Task>? Abandon { get; init; }

    /// <summary>Size at which a group is full, in bytes, so that a few large items don't keep many small ones waiting.</summary>
    /// <value>The default is 8 MiB.</value>
    public long LargestSize { get; init; } = 8 << 20;
}
