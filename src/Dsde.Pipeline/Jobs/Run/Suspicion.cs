namespace Dsde.Pipeline.Jobs.Run;

/// <summary>
/// How a job that kills its workers is found among those that were lost with it. A worker that is killed for another reason takes many
/// innocent jobs with it, again and again perhaps, so that being lost is no reason to run one after the other: those that were lost
/// together too often run in halves, and only the half that is lost again is halved further.
/// </summary>
internal static class Suspicion
{
    /// <summary>How many jobs may be in the engine while a job is, itself included; null for any number.</summary>
    /// <param name="lostStarts">Starts of the job that were lost since it last came further.</param>
    /// <param name="lostStartsBeforeNarrowing">So many of them, less one, say nothing.</param>
    /// <param name="batchSize">How many the engine runs at once.</param>
    public static int? MostInside(int lostStarts, int lostStartsBeforeNarrowing, int batchSize) =>
        lostStarts < lostStartsBeforeNarrowing
            ? null
            : Math.Max(1, batchSize >> Math.Min(lostStarts - lostStartsBeforeNarrowing + 1, sizeof(int) * 8 - 1));
}
