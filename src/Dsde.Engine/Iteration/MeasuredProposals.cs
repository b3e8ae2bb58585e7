using Dsde.Engine.Speculation;

namespace Dsde.Engine.Iteration;

/// <summary>One sequence's proposals after verification, in order.</summary>
internal readonly record struct MeasuredProposals(int Accepted, float[] Kld, float[] Beta, float[] DraftEntropy)
{
    /// <summary>The same for the policy.</summary>
    public VerifiedStep ToStep(float temperature) =>
        new()
        {
            Accepted = Accepted,
            Kld = Kld,
            Beta = Beta,
            DraftEntropy = DraftEntropy,
            Temperature = temperature,
        };
}
