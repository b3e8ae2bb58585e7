using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>What is recorded of emitted tokens.</summary>
internal static class TokenMeasures
{
    /// <summary>Stands for a margin without bound: all tokens but one are ruled out. Finite, because not every store can hold an infinity.</summary>
    public const float LargestMargin = 1e6f;

    /// <summary>Logarithm of the sum of exponentials per row: what separates a raw logit from its log-probability. <c>[n, 1] f32</c></summary>
    public static Tensor LogNormalizer(Tensor logits) => logits.logsumexp(-1, keepdim: true);

    /// <summary>Log-probability of a token per row, nats, at temperature 1.</summary>
    /// <param name="logits">Raw. <c>[n, V] f32</c></param>
    /// <param name="logNormalizer"><c>[n, 1] f32</c></param>
    /// <param name="rows">Row of each token; null if every row has one. <c>[m] i64</c></param>
    /// <param name="tokenIds"><c>[m] i64</c></param>
    /// <returns><c>[m] f32</c></returns>
    public static Tensor LogProbability(Tensor logits, Tensor logNormalizer, Tensor? rows, Tensor tokenIds)
    {
        using var scope = NewDisposeScope();
        var cells = (rows ?? arange(tokenIds.shape[0], dtype: ScalarType.Int64, device: tokenIds.device)) * logits.shape[1] + tokenIds;
        var normalizer = rows is null ? logNormalizer : logNormalizer.index_select(0, rows);
        return (logits.view(-1).index_select(0, cells) - normalizer.squeeze(1)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Distance between the two best perturbed scores per row, at most <see cref="LargestMargin"/>: how near another choice was in greedy and
    /// coupled rows. <c>[n] f32</c>
    /// </summary>
    public static Tensor Margin(Tensor perturbed)
    {
        using var scope = NewDisposeScope();
        var best = perturbed.topk(2, -1, true, true).values; // [n, 2]
        return best.select(1, 0).sub(best.select(1, 1)).clamp_(max: LargestMargin).MoveToOuterDisposeScope();
    }

    /// <summary>The most probable tokens of each row with their log-probabilities at temperature 1, best first.</summary>
    /// <param name="logits">Raw. <c>[n, V] f32</c></param>
    /// <param name="logNormalizer"><c>[n, 1] f32</c></param>
    /// <param name="count">How many (m).</param>
    /// <returns>Ids <c>[n, m] i64</c>, and <c>[n, m] f32</c>.</returns>
    public static (Tensor TokenIds, Tensor LogProbabilities) MostProbable(Tensor logits, Tensor logNormalizer, int count)
    {
        using var scope = NewDisposeScope();
        var (values, ids) = logits.topk(count, -1, true, true);
        return (ids.MoveToOuterDisposeScope(), (values - logNormalizer).MoveToOuterDisposeScope());
    }
}
