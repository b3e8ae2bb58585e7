using System.Runtime.InteropServices;
using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>
/// Top-k, then top-p over what top-k left, then min-p: scores of tokens that are ruled out become −∞. Each is a threshold, so tokens of
/// exactly the same score share their fate, and what is kept does not depend on an order among them.
/// </summary>
internal static class Truncation
{
    /// <summary>
    /// Scores with −∞ where a token is ruled out, in the caller's scope; the best token is always kept. <c>[n, V] f32</c>
    /// </summary>
    /// <param name="scores">After penalties and temperature; left as they are. <c>[n, V] f32</c></param>
    /// <param name="parameters">Of the same rows, some of which truncate.</param>
    public static Tensor Apply(Tensor scores, SamplingRows parameters)
    {
        using var scope = NewDisposeScope();
        var kept = scores;
        if (parameters.TopK is { } topK)
        {
            // Rows without a limit keep all of the vocabulary: their threshold is −∞.
            var largest = scores.topk(parameters.LargestTopK, -1, true, true).values; // [n, largest k]
            var threshold = largest.gather(1, topK.clamp(max: Scalars.Of(parameters.LargestTopK)).sub(Scalars.Of(1)));
            kept = Drop(
                kept,
                kept < threshold.masked_fill(topK.gt(Scalars.Of(parameters.LargestTopK)), Scalars.Of(double.NegativeInfinity))
            );
        }

        if (parameters.TopP is { } topP)
        {
            kept = Drop(kept, kept < Nucleus(kept, topP));
        }

        if (parameters.LogMinP is { } logMinP)
        {
            kept = Drop(kept, kept < kept.amax([-1], keepdim: true).Plus(logMinP));
        }

        return kept.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Smallest score of the smallest set with at least the mass: a token belongs to it if the mass before it is still short. <c>[n, 1]
    /// f32</c>
    /// </summary>
    private static Tensor Nucleus(Tensor scores, Tensor topP) =>
        scores.device_type == DeviceType.CPU ? NucleusOnCpu(scores, topP) : NucleusBySorting(scores, topP);

    private static unsafe Tensor NucleusOnCpu(Tensor scores, Tensor topP)
    {
        using var contiguous = new ContiguousTensor(scores);
        var masses = topP.data<float>().ToArray();
        var thresholds = new float[masses.Length];
        var length = (int)scores.shape[^1];
        for (var row = 0; row < masses.Length; row++)
        {
            var values = new ReadOnlySpan<float>(contiguous.Address<float>() + ((long)row * length), length);
            thresholds[row] = masses[row] < 1f ? NucleusKernel.FindThreshold(values, masses[row]) : float.NegativeInfinity;
        }

        return tensor(thresholds).unsqueeze(1);
    }

    /// <summary>As above, in device operations.</summary>
    internal static Tensor NucleusBySorting(Tensor scores, Tensor topP)
    {
        var sorted = scores.sort(-1, descending: true).Values; // [n, V]
        var probabilities = sorted.softmax(-1);
        var size = (probabilities.cumsum(-1) - probabilities < topP).sum(-1, keepdim: true).clamp(min: Scalars.Of(1));
        return sorted.gather(1, size.sub(Scalars.Of(1)));
    }

    private static Tensor Drop(Tensor scores, Tensor dropped) => scores.masked_fill(dropped, Scalars.Of(double.NegativeInfinity));
}
