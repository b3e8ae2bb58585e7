using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dsde.Engine.Cpu.Kernels;

namespace Dsde.Engine.Sampling;

/// <summary>
/// What is asked of a row of logits, by vector instructions on a CPU: a row is read once or twice where device operations write it out
/// again and again. Every result depends on its row alone.
/// </summary>
internal static unsafe class LogitKernel
{
    private const int Width = 16;
    private const uint AllCount = 0xFFFF;

    /// <summary>Numbers that are summed in single precision before the sum goes to double: rows of any length lose no digits.</summary>
    private const int BlockLength = 4096;

    /// <summary>Logarithm of the sum of exponentials; a number exactly if the row has numbers and −∞ only, and not −∞ alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float LogNormalizer(float* row, int length)
    {
        var largest = Vector512.Create(float.NegativeInfinity);
        for (var i = 0; i < length; i += Width)
        {
            largest = Vector512.Max(largest, Load(row + i, length - i, float.NegativeInfinity));
        }

        var offset = LargestOf(largest);
        var shift = Vector512.Create(offset);
        double sum = 0;
        for (var block = 0; block < length; block += BlockLength)
        {
            var sums = Vector512<float>.Zero;
            var end = Math.Min(length, block + BlockLength);
            for (var i = block; i < end; i += Width)
            {
                sums += SimdMath.Exp(Load(row + i, end - i, float.NegativeInfinity) - shift);
            }

            sum += Vector512.Sum(sums);
        }

        return float.IsFinite(offset) ? offset + (float)Math.Log(sum) : float.NaN;
    }

    /// <summary>The largest score after scaling and adding noise; among equals the first.</summary>
    /// <param name="scores">At least one number that counts.</param>
    /// <param name="noise">Whose noise is added, by token id; null for none.</param>
    /// <param name="length">Numbers.</param>
    /// <param name="words">A bit for each number, the lowest first: whether it counts. Empty if all do.</param>
    /// <param name="scale">
    /// What a score's distance from the largest that counts is multiplied by, so that a large scale leaves the best ones in reach; 1 leaves
    /// scores as they are.
    /// </param>
    /// <param name="margin">Distance to the second largest, 0 if the largest comes twice, ∞ if there is none.</param>
    /// <returns>Its index.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int FindBest(float* scores, NoiseKey? noise, int length, ReadOnlySpan<uint> words, float scale, out float margin)
    {
        var (isScaled, shift, factor) = (
            scale != 1,
            Vector512.Create(scale == 1 ? 0 : FindLargest(scores, length, words)),
            Vector512.Create(scale)
        );
        BestTwo found = new(0),
            plain = new(0); // one that stays in registers
        for (var i = 0; i < length; i += Width)
        {
            if (Counts(words, i) is var some && some == 0)
            {
                continue;
            }

            var values = Load(scores + i, length - i, float.NegativeInfinity);
            if (isScaled)
            {
                values = (values - shift) * factor;
            }

            if (some != AllCount)
            {
                values = Vector512.ConditionalSelect(LanesOf(words, i), values, Vector512.Create(float.NegativeInfinity));
            }

            var ids = Vector512.CreateSequence((uint)i, 1u);
            if (noise is { } key)
            {
                found.AddWithNoise(values, ids, key);
            }
            else
            {
                plain.Add(values, ids);
            }
        }

        return (noise is null ? plain : found).Reduce(out margin);
    }

    /// <summary>As <see cref="FindBest"/>, among a few tokens.</summary>
    /// <param name="scores">All scores.</param>
    /// <param name="noise">As there.</param>
    /// <param name="ids">Ascending; at least one.</param>
    /// <param name="scale">As there.</param>
    /// <param name="margin">As there.</param>
    public static int FindBestOf(float* scores, NoiseKey? noise, ReadOnlySpan<int> ids, float scale, out float margin)
    {
        var shift = scale == 1 ? 0 : float.NegativeInfinity;
        for (var i = 0; i < ids.Length && scale != 1; i++)
        {
            shift = Math.Max(shift, scores[ids[i]]);
        }

        var found = new BestTwo((uint)ids[0]);
        Span<float> values = stackalloc float[Width];
        Span<uint> places = stackalloc uint[Width];
        for (var i = 0; i < ids.Length; i += Width)
        {
            values.Fill(float.NegativeInfinity);
            for (var lane = 0; lane < Math.Min(Width, ids.Length - i); lane++)
            {
                var id = ids[i + lane];
                (values[lane], places[lane]) = (scale == 1 ? scores[id] : (scores[id] - shift) * scale, (uint)id);
            }

            if (noise is { } key)
            {
                found.AddWithNoise(Vector512.Create<float>(values), Vector512.Create<uint>(places), key);
            }
            else
            {
                found.Add(Vector512.Create<float>(values), Vector512.Create<uint>(places));
            }
        }

        return found.Reduce(out margin);
    }

    /// <summary>Which of the 16 numbers from a place on have their bit set. <paramref name="place"/>: a multiple of 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LanesOf(ReadOnlySpan<uint> words, int place)
    {
        var lanes = Vector512.Create(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);
        var bits = Vector512.Create((int)(words[place >> 5] >> (place & 31)));
        return Vector512.Equals(bits & lanes, lanes).AsSingle();
    }

    /// <summary>The largest of 16 numbers.</summary>
    public static float LargestOf(Vector512<float> values)
    {
        var largest = values[0];
        for (var lane = 1; lane < Width; lane++)
        {
            largest = Math.Max(largest, values[lane]);
        }

        return largest;
    }

    /// <summary>See <see cref="DivergenceMeasures"/>. NaN where a row has something else than numbers and −∞.</summary>
    /// <param name="target">Raw logits of the target.</param>
    /// <param name="targetNormalizer">Their <see cref="LogNormalizer"/>.</param>
    /// <param name="draft">Raw logits of the draft.</param>
    /// <param name="length">Numbers in each row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (float Kld, float Beta, float DraftEntropy) Diverge(float* target, float targetNormalizer, float* draft, int length)
    {
        var targetShift = Vector512.Create(targetNormalizer);
        var draftNormalizer = LogNormalizer(draft, length);
        if (!float.IsFinite(draftNormalizer))
        {
            return (float.NaN, float.NaN, float.NaN);
        }

        var draftShift = Vector512.Create(draftNormalizer);
        var smallest = Vector512.Create((float)DivergenceMeasures.SmallestProbability);
        var smallestLog = Vector512.Create((float)Math.Log(DivergenceMeasures.SmallestProbability));
        double kld = 0,
            beta = 0,
            entropy = 0;
        for (var block = 0; block < length; block += BlockLength)
        {
            Vector512<float> klds = default,
                betas = default,
                entropies = default;
            var end = Math.Min(length, block + BlockLength);
            for (var i = block; i < end; i += Width)
            {
                var logP = Load(target + i, end - i, float.NegativeInfinity) - targetShift;
                var logQ = Load(draft + i, end - i, float.NegativeInfinity) - draftShift;
                var (p, q) = (SimdMath.Exp(logP), SimdMath.Exp(logQ));
                // behind the end both are the same, and cancel
                (logP, logQ) = (Vector512.Max(logP, smallestLog), Vector512.Max(logQ, smallestLog));
                betas += Vector512.Min(p, q);
                entropies = Vector512.FusedMultiplyAdd(q, logQ, entropies);
                klds = Vector512.FusedMultiplyAdd(Vector512.Max(p, smallest), logP - logQ, klds);
            }

            kld += Vector512.Sum(klds);
            beta += Vector512.Sum(betas);
            entropy -= Vector512.Sum(entropies);
        }

        return float.IsFinite(targetNormalizer) ? ((float)kld, (float)beta, (float)entropy) : (float.NaN, float.NaN, (float)entropy);
    }

    /// <summary>
    /// How unsure of itself the distribution of a row is: its entropy in nats, probabilities as in <see cref="DivergenceMeasures"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float MeasureEntropy(float* row, int length)
    {
        var shift = Vector512.Create(LogNormalizer(row, length));
        var smallestLog = Vector512.Create((float)Math.Log(DivergenceMeasures.SmallestProbability));
        double entropy = 0;
        for (var block = 0; block < length; block += BlockLength)
        {
            var entropies = Vector512<float>.Zero;
            var end = Math.Min(length, block + BlockLength);
            for (var i = block; i < end; i += Width)
            {
                var logQ = Load(row + i, end - i, float.NegativeInfinity) - shift;
                var q = SimdMath.Exp(logQ);
                entropies = Vector512.FusedMultiplyAdd(q, Vector512.Max(logQ, smallestLog), entropies);
            }

            entropy -= Vector512.Sum(entropies);
        }

        return (float)entropy;
    }

    /// <summary>The largest of the numbers that count, by words as in <see cref="FindBest"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float FindLargest(float* row, int length, ReadOnlySpan<uint> words)
    {
        var nothing = Vector512.Create(float.NegativeInfinity);
        var largest = nothing;
        for (var i = 0; i < length; i += Width)
        {
            if (Counts(words, i) is var some && some == 0)
            {
                continue;
            }

            var values = Load(row + i, length - i, float.NegativeInfinity);
            largest = Vector512.Max(largest, some == AllCount ? values : Vector512.ConditionalSelect(LanesOf(words, i), values, nothing));
        }

        return LargestOf(largest);
    }

    /// <summary>Bits of the 16 numbers from a place on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Counts(ReadOnlySpan<uint> words, int place) =>
        words.IsEmpty ? AllCount : (words[place >> 5] >> (place & 31)) & AllCount;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Load(float* source, int count, float filler) =>
        count >= Width ? Vector512.Load(source) : LoadEnd(source, count, filler);

    private static Vector512<float> LoadEnd(float* source, int count, float filler)
    {
        Span<float> values = stackalloc float[Width];
        values.Fill(filler);
        new ReadOnlySpan<float>(source, count).CopyTo(values);
        return Vector512.Create<float>(values);
    }
}
