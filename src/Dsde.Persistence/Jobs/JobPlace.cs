namespace Dsde.Persistence.Jobs;

/// <summary>Where a claimed job is: what it is blamed for if its worker dies.</summary>
public enum JobPlace
{
    /// <summary>
    /// It waits to be let into the engine: it has not been started, and a worker that dies did not die of it. Every claim but the first of
    /// a job begins here.
    /// </summary>
    Outside,

    /// <summary>In the engine, or about to be, with others. The first claim of a job begins here.</summary>
    Inside,

    /// <summary>In the engine, with no other beside it.</summary>
    Alone,
}
