namespace Dsde.Analytics.Costs;

/// <summary>An iteration of a batch, put together from the traces of the outputs that took part.</summary>
/// <param name="Present">Outputs whose traces are there.</param>
/// <param name="BatchSize">Outputs that took part.</param>
/// <param name="Rows">Rows of the target's pass; where traces are missing, as if those were like the rest.</param>
/// <param name="DraftSteps">Draft passes.</param>
/// <param name="DraftRows">Their rows together, as above.</param>
/// <param name="DraftMs">Time of the draft passes.</param>
/// <param name="VerifyMs">Time of the target's pass.</param>
internal sealed record TracedIteration(
    int Present,
    int BatchSize,
    double Rows,
    int DraftSteps,
    double DraftRows,
    double DraftMs,
    double VerifyMs
)
{
    /// <summary>Whether all who took part are there.</summary>
    public bool IsComplete => Present == BatchSize;
}
