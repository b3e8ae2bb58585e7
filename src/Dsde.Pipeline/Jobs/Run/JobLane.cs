namespace Dsde.Pipeline.Jobs.Run;

/// <summary>The queue that a job came by.</summary>
internal enum JobLane
{
    /// <summary>Jobs that can wait.</summary>
    Bulk,

    /// <summary>Jobs that overtake those of the other lane, in the engine as well.</summary>
    High,
}
