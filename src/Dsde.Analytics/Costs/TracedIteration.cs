using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Costs;

/// <summary>An iteration of a batch, put together from the traces of the outputs that took part.</summary>
/// <param name="Rows">Rows of the target's pass.</param>
/// <param name="DraftSteps">Draft passes, as far as the traces that are there tell.</param>
/// <param name="DraftRows">Their rows together; where traces are missing, as if those were like the rest.</param>
/// <param name="DraftMs">Time of the draft passes.</param>
/// <param name="VerifyMs">Time of the target's pass.</param>
internal readonly record struct TracedIteration(int Rows, int DraftSteps, double DraftRows, double DraftMs, double VerifyMs)
{
    /// <summary>Whether something was proposed.</summary>
    public bool IsSpeculating => DraftSteps > 0;

    /// <summary>The same for its price: outputs with proposals of lookup are not replayed.</summary>
    public IterationKind Kind => IsSpeculating ? IterationKind.Drafting : IterationKind.Plain;
}
