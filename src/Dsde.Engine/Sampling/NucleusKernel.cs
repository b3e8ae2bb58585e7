using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Dsde.Engine.Sampling;

/// <summary>
/// Top-p on the CPU without sorting the vocabulary: masses are gathered in buckets by their distance to the best score, and only the bucket
/// in which the mass is reached is sorted.
/// </summary>
internal static class NucleusKernel
{
    private const int BucketCount = 2048;

    /// <summary>Buckets per nat: 32 nats in all; what lies further from the best score is in the last bucket.</summary>
    private const int BucketsPerNat = 64;

    /// <summary>
    /// Smallest score of the smallest set with at least the mass: a token belongs to it if the mass before it is still short.
    /// </summary>
    /// <param name="scores">One row; −∞ for tokens that are ruled out.</param>
    /// <param name="topP">The mass, below 1.</param>
    public static float FindThreshold(ReadOnlySpan<float> scores, float topP)
    {
        var weights = ArrayPool<float>.Shared.Rent(scores.Length);
        var best = FillWeights(scores, weights);
        Span<double> masses = stackalloc double[BucketCount];
        masses.Clear();
        var total = 0.0;
        for (var i = 0; i < scores.Length; i++)
        {
            masses[BucketOf(scores[i], best)] += weights[i];
            total += weights[i];
        }

        var (bucket, before) = (0, 0.0);
        while (bucket < BucketCount - 1 && before + masses[bucket] < topP * total)
        {
            before += masses[bucket++];
        }

        var threshold = FindInBucket(scores, weights, best, bucket, (topP * total) - before);
        ArrayPool<float>.Shared.Return(weights);
        return threshold;
    }

    private static float FindInBucket(ReadOnlySpan<float> scores, ReadOnlySpan<float> weights, float best, int bucket, double missing)
    {
        var members = new List<(float Score, float Weight)>();
        for (var i = 0; i < scores.Length; i++)
        {
            if (BucketOf(scores[i], best) == bucket)
            {
                members.Add((scores[i], weights[i]));
            }
        }

        members.Sort((a, b) => b.Score.CompareTo(a.Score));
        var (count, mass) = (0, 0.0);
        while (count < members.Count && mass < missing)
        {
            mass += members[count++].Weight;
        }

        return members[Math.Max(0, count - 1)].Score;
    }

    private static int BucketOf(float score, float best) => (int)Math.Min((best - score) * BucketsPerNat, BucketCount - 1);

    /// <summary>exp(score − best) of each token; returns the best score.</summary>
    private static float FillWeights(ReadOnlySpan<float> scores, Span<float> weights)
    {
        var best = float.NegativeInfinity;
        foreach (var score in scores)
        {
            best = Math.Max(best, score);
        }

        var whole = scores.Length - (scores.Length % Vector<float>.Count);
        var source = MemoryMarshal.Cast<float, Vector<float>>(scores[..whole]);
        var target = MemoryMarshal.Cast<float, Vector<float>>(weights[..whole]);
        for (var i = 0; i < source.Length; i++)
        {
            target[i] = Vector.Exp(source[i] - new Vector<float>(best));
        }

        for (var i = whole; i < scores.Length; i++)
        {
            weights[i] = MathF.Exp(scores[i] - best);
        }

        return best;
    }
}
