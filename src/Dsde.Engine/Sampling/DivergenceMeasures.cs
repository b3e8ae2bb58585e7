using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>What two raw distributions say of each other, per position (ALGORITHM: terms). All on the device.</summary>
/// <param name="Kld">Σ p·(ln p − ln q), probabilities clamped to at least 1e-8, in nats. <c>[P] f32</c></param>
/// <param name="Beta">Σ min(p, q). <c>[P] f32</c></param>
/// <param name="DraftEntropy">−Σ q·ln q, in nats. <c>[P] f32</c></param>
internal readonly record struct DivergenceMeasures(Tensor Kld, Tensor Beta, Tensor DraftEntropy)
{
    private const double SmallestProbability = 1e-8;

    /// <summary>Measures proposals; tensors in the caller's scope.</summary>
    /// <param name="targetLogits">Raw target logits at the proposed positions. <c>[P, V] f32</c></param>
    /// <param name="draftLogits">Raw draft logits at the same positions. <c>[P, V] f32</c></param>
    public static DivergenceMeasures Compute(Tensor targetLogits, Tensor draftLogits)
    {
        using var scope = NewDisposeScope();
        var target = targetLogits.softmax(-1);
        var draft = draftLogits.softmax(-1);
        var beta = minimum(target, draft).sum(-1);
        target.clamp_(min: SmallestProbability);
        var logDraft = draft.clamp(min: SmallestProbability).log_();
        var entropy = (draft * logDraft).sum(-1).neg_();
        var kld = target.log().sub_(logDraft).mul_(target).sum(-1);
        return new DivergenceMeasures(
            kld.MoveToOuterDisposeScope(), beta.MoveToOuterDisposeScope(), entropy.MoveToOuterDisposeScope());
    }
}
