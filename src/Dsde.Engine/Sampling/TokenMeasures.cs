using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>What is recorded of emitted tokens.</summary>
internal static class TokenMeasures
{
    /// <summary>
    /// Stands for a margin without bound: all tokens but one are ruled out. Finite, because not every store can hold an infinity.
    /// </summary>
    public const float LargestMargin = 1e6f;

    /// <summary>
    /// Logarithm of the sum of exponentials per row: what separates a raw logit from its log-probability. <c>[n, 1] f32</c>
    /// </summary>
    public static Tensor LogNormalizer(Tensor logits) =>
        logits.device_type == DeviceType.CPU ? LogNormalizerOnCpu(logits) : logits.logsumexp(-1, keepdim: true);

    /// <summary>Log-probability of a token per row, nats, at temperature 1.</summary>
    /// <param name="logits">Raw. <c>[n, V] f32</c></param>
    /// <param name="logNormalizer"><c>[n, 1] f32</c></param>
    /// <param name="rows">Row of each token; null if every row has one. <c>[m] i64</c></param>
    /// <param name="tokenIds"><c>[m] i64</c></param>
    /// <returns><c>[m] f32</c></returns>
    public static Tensor LogProbability(Tensor logits, Tensor logNormalizer, Tensor? rows, Tensor tokenIds)
    {
        using var scope = NewDisposeScope();
        // Without a product by a number: its temporary scalar can be collected before the native call has read it (docs/architecture.md).
        var picked = rows is null
            ? logits.gather(1, tokenIds.unsqueeze(1)).squeeze(1)
            : logits.index(TensorIndex.Tensor(rows), TensorIndex.Tensor(tokenIds));
        var normalizer = rows is null ? logNormalizer : logNormalizer.index_select(0, rows);
        return (picked - normalizer.squeeze(1)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// As <see cref="TokenScores.Margin"/>, in device operations. <paramref name="perturbed"/>: <c>[n, V] f32</c>; result <c>[n] f32</c>.
    /// </summary>
    public static Tensor Margin(Tensor perturbed)
    {
        using var scope = NewDisposeScope();
        var best = perturbed.topk(2, -1, true, true).values; // [n, 2]
        return best.select(1, 0).sub(best.select(1, 1)).clamp_(max: Scalars.Of(LargestMargin)).MoveToOuterDisposeScope();
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

    private static unsafe Tensor LogNormalizerOnCpu(Tensor logits)
    {
        using var rows = new ContiguousTensor(logits);
        var (count, length) = ((int)logits.shape[0], (int)logits.shape[1]);
        var result = empty([count, 1], ScalarType.Float32);
        var normalizers = (float*)NativeTensor.Address(result);
        var row = rows.Address<float>();
        for (var i = 0; i < count; i++, row += length)
        {
            normalizers[i] = LogitKernel.LogNormalizer(row, length);
        }

        return result;
    }
}
