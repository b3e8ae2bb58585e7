namespace Dsde.Persistence.Jobs;

/// <summary>Where a job stands. Stored in lower case.</summary>
public enum JobState
{
    /// <summary>
    /// Known, but no worker's: handed back, reopened, or to be cancelled before a worker ever saw it. Its message is in the broker.
    /// </summary>
    Queued,

    /// <summary>A worker has claimed it.</summary>
    Running,

    /// <summary>Its output is stored.</summary>
    Completed,

    /// <summary>It will have no output.</summary>
    Failed,

    /// <summary>It was called off, or its deadline passed.</summary>
    Cancelled,
}
