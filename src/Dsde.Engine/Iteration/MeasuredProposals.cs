using Dsde.Speculation;

namespace Dsde.Engine.Iteration;

/// <summary>One sequence's proposals after verification, in order.</summary>
/// <param name="Forced">Tokens that its grammar forced, before the others: all of them accepted, and none of them measured.</param>
/// <param name="Accepted">How many of the others from the first were accepted.</param>
/// <param name="Kld">One per proposal that counts.</param>
/// <param name="Beta">As above.</param>
/// <param name="DraftEntropy">As above.</param>
/// <param name="DraftRowsWithoutNumbers">Rows of the draft whose logits are no numbers.</param>
/// <param name="TargetHasNumbers">Whether the target's logits are numbers at all verified rows, on the path or not.</param>
internal readonly record struct MeasuredProposals(
    int Forced,
    int Accepted,
    float[] Kld,
    float[] Beta,
    float[] DraftEntropy,
    int DraftRowsWithoutNumbers,
    bool TargetHasNumbers
)
{
    /// <summary>Proposals that count, without what is forced.</summary>
    public int Length => Kld.Length;

    /// <summary>Tokens of the block that were accepted, forced or not.</summary>
    public int AcceptedInBlock => Forced + Accepted;

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
