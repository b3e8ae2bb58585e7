using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>What two raw distributions say of each other, per position (arXiv 2509.01083, section 3). All on the device.</summary>
/// <param name="Kld">Σ p·(ln p − ln q), probabilities clamped to at least 1e-8, in nats. <c>[P] f32</c></param>
/// <param name="Beta">Σ min(p, q). <c>[P] f32</c></param>
/// <param name="DraftEntropy">−Σ q·ln q, in nats. <c>[P] f32</c></param>
internal readonly record struct DivergenceMeasures(Tensor Kld, Tensor Beta, Tensor DraftEntropy)
{
    /// <summary>What probabilities are clamped to before a logarithm is taken.</summary>
    public const double SmallestProbability = 1e-8;

    /// <summary>Measures proposals; tensors in the caller's scope.</summary>
    /// <param name="logits">Raw target logits at all verified rows. <c>[R, V] f32</c></param>
    /// <param name="normalizer">Theirs. <c>[R, 1] f32</c></param>
    /// <param name="proposedRows">The row that judges each proposal. <c>[P] i64</c></param>
    /// <param name="draftLogits">Raw draft logits at the proposals, in one or several pieces: together <c>[P, V] f32</c>.</param>
    public static DivergenceMeasures Compute(Tensor logits, Tensor normalizer, Tensor proposedRows, IReadOnlyList<Tensor> draftLogits)
    {
        if (logits.device_type == DeviceType.CPU)
        {
            return ComputeOnCpu(logits, normalizer, proposedRows, draftLogits);
        }

        using var scope = NewDisposeScope();
        var measures = Compute(logits.index_select(0, proposedRows), cat([.. draftLogits]));
        return new DivergenceMeasures(
            measures.Kld.MoveToOuterDisposeScope(),
            measures.Beta.MoveToOuterDisposeScope(),
            measures.DraftEntropy.MoveToOuterDisposeScope()
        );
    }

    /// <summary>The same in device operations.</summary>
    /// <param name="targetLogits">Raw target logits at the proposed positions. <c>[P, V] f32</c></param>
    /// <param name="draftLogits">Raw draft logits at the same positions. <c>[P, V] f32</c></param>
    internal static DivergenceMeasures Compute(Tensor targetLogits, Tensor draftLogits)
    {
        using var scope = NewDisposeScope();
        var target = targetLogits.softmax(-1);
        var draft = draftLogits.softmax(-1);
        var beta = minimum(target, draft).sum(-1);
        target.clamp_(min: Scalars.Of(SmallestProbability));
        var logDraft = draft.clamp(min: Scalars.Of(SmallestProbability)).log_();
        var entropy = (draft * logDraft).sum(-1).neg_();
        var kld = target.log().sub_(logDraft).mul_(target).sum(-1);
        return new DivergenceMeasures(kld.MoveToOuterDisposeScope(), beta.MoveToOuterDisposeScope(), entropy.MoveToOuterDisposeScope());
    }

    private static unsafe DivergenceMeasures ComputeOnCpu(
        Tensor logits,
        Tensor normalizer,
        Tensor proposedRows,
        IReadOnlyList<Tensor> draftLogits
    )
    {
        using var targets = new ContiguousTensor(logits);
        var (count, length) = (proposedRows.shape[0], (int)logits.shape[1]);
        var result = empty([3, count], ScalarType.Float32); // KLD, β, entropy
        var target = targets.Address<float>();
        var normalizers = (float*)NativeTensor.Address(normalizer);
        var rows = (long*)NativeTensor.Address(proposedRows);
        var measured = (float*)NativeTensor.Address(result);
        foreach (var piece in draftLogits)
        {
            using var drafts = new ContiguousTensor(piece);
            var draft = drafts.Address<float>();
            for (var end = rows + piece.shape[0]; rows < end; rows++, measured++, draft += length)
            {
                (measured[0], measured[count], measured[2 * count]) = LogitKernel.Diverge(
                    target + (*rows * length),
                    normalizers[*rows],
                    draft,
                    length
                );
            }
        }

        return new DivergenceMeasures(result[0], result[1], result[2]);
    }
}
