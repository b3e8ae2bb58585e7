namespace Dsde.Pipeline.Jobs.Run;

/// <summary>The queue that a job came by.</summary>
internal enum JobLane
{
    /// <summary>Jobs that can wait.</summary>
    Bulk,

    /// <summary>Jobs that overtake those of the bulk lane, in the engine as well.</summary>
    High,

    /// <summary>
    /// Jobs that have waited for another worker's claim. They were begun before those of the other lanes, and overtake them too.
    /// </summary>
    Resumed,

    /// <summary>What no queue of a model has taken: jobs that are sent on to one, and jobs that end because there is none.</summary>
    Unrouted,
}
