namespace Dsde.Persistence.Entities;

/// <summary>A row of <c>workers</c>: a worker that has said that it is there.</summary>
internal sealed class WorkerRow
{
    public string WorkerId { get; init; } = "";

    public DateTimeOffset StartedAt { get; set; }

    /// <summary>When it last said so, by the database's clock where that has one.</summary>
    public DateTimeOffset SeenAt { get; set; }

    public string Host { get; set; } = "";

    public string Version { get; set; } = "";

    public string[] Models { get; set; } = [];

    public int BatchSize { get; set; }

    /// <summary>Key of the advisory lock that its process holds as long as it lives; null where none is held.</summary>
    public long? PresenceKey { get; set; }

    public int HeldJobs { get; set; }

    public int WaitingForClaim { get; set; }
}
