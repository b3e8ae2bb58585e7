namespace Dsde.Persistence.Entities;

/// <summary>A row of <c>workers</c>: one start of a worker, kept after its end.</summary>
internal sealed class WorkerRow
{
    public Guid WorkerStartId { get; init; }

    public string WorkerId { get; init; } = "";

    public DateTimeOffset StartedAt { get; set; }

    /// <summary>When it last said that it is there, by the database's clock where that has one.</summary>
    public DateTimeOffset SeenAt { get; set; }

    /// <summary>When it left or was found to be gone; null as long as it is there.</summary>
    public DateTimeOffset? EndedAt { get; set; }

    /// <summary><c>left</c> or <c>lost</c>.</summary>
    public string? Ending { get; set; }

    public string Host { get; set; } = "";

    public string Version { get; set; } = "";

    public string[] Models { get; set; } = [];

    public string TargetModel { get; set; } = "";

    public string? DraftModel { get; set; }

    public string Policy { get; set; } = "";

    public string Device { get; set; } = "";

    public string DataType { get; set; } = "";

    public int Threads { get; set; }

    public string? Kernels { get; set; }

    public int BatchSize { get; set; }

    /// <summary>JSON.</summary>
    public string? CostProfile { get; set; }

    /// <summary>Key of the advisory lock that its process holds as long as it lives; null where none is held.</summary>
    public long? PresenceKey { get; set; }

    public int HeldJobs { get; set; }

    public int WaitingForClaim { get; set; }
}
