using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Torch;
using Dsde.Grammars.Tokens;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>
/// Holds logits to what grammars allow: before penalties and truncation, so that these choose among the allowed tokens only.
/// </summary>
internal static class AllowedTokens
{
    private const int Width = 16;

    /// <summary>Logits with −∞ where a token is not allowed, in the caller's scope; left as they are. <c>[n, V] f32</c></summary>
    /// <param name="logits">Raw. <c>[n, V] f32</c></param>
    /// <param name="allowed">Of each row at least one token; null for all.</param>
    public static Tensor Apply(Tensor logits, IReadOnlyList<TokenSet?> allowed) =>
        logits.device_type == DeviceType.CPU ? ApplyOnCpu(logits, allowed) : ApplyOnDevice(logits, allowed);

    /// <summary>As <see cref="Apply"/>, in device operations.</summary>
    internal static Tensor ApplyOnDevice(Tensor logits, IReadOnlyList<TokenSet?> allowed)
    {
        using var scope = NewDisposeScope();
        var length = (int)logits.shape[1];
        var wordCount = (length + 31) / 32;
        var words = new int[allowed.Count * wordCount];
        for (var row = 0; row < allowed.Count; row++)
        {
            Fill(words.AsSpan(row * wordCount, wordCount), allowed[row]);
        }

        var bits = tensor(words, dtype: ScalarType.Int32, device: logits.device).view(allowed.Count, wordCount, 1); // [n, W, 1]
        var places = Scalars.Range(32, logits.device).to(ScalarType.Int32); // [32]
        var isAllowed = bits.bitwise_right_shift(places).remainder(Scalars.Of(2)).ne(Scalars.Of(0)); // [n, W, 32]
        return logits
            .masked_fill(
                isAllowed.view(allowed.Count, wordCount * 32L).narrow(1, 0, length).logical_not(),
                Scalars.Of(double.NegativeInfinity)
            )
            .MoveToOuterDisposeScope();
    }

    private static void Fill(Span<int> words, TokenSet? set)
    {
        if (set is null)
        {
            words.Fill(-1);
            return;
        }

        for (var i = 0; i < set.Words.Length; i++)
        {
            words[i] = (int)set.Words[i];
        }

        foreach (var id in set.Ids)
        {
            words[id >> 5] |= 1 << id;
        }
    }

    private static unsafe Tensor ApplyOnCpu(Tensor logits, IReadOnlyList<TokenSet?> allowed)
    {
        using var rows = new ContiguousTensor(logits);
        var length = (int)logits.shape[1];
        var result = empty([logits.shape[0], length], ScalarType.Float32);
        var source = rows.Address<float>();
        var target = (float*)NativeTensor.Address(result);
        foreach (var set in allowed)
        {
            var from = new ReadOnlySpan<float>(source, length);
            var to = new Span<float>(target, length);
            if (set is null)
            {
                from.CopyTo(to);
            }
            else if (set.IsFew)
            {
                to.Fill(float.NegativeInfinity);
                foreach (var id in set.Ids)
                {
                    to[id] = from[id];
                }
            }
            else
            {
                Copy(source, target, length, set.Words);
            }

            source += length;
            target += length;
        }

        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Copy(float* source, float* target, int length, ReadOnlySpan<uint> words)
    {
        var nothing = Vector512.Create(float.NegativeInfinity);
        var whole = length - (length % Width);
        for (var i = 0; i < whole; i += Width)
        {
            Vector512.ConditionalSelect(LogitKernel.LanesOf(words, i), Vector512.Load(source + i), nothing).Store(target + i);
        }

        for (var i = whole; i < length; i++)
        {
            target[i] = (words[i >> 5] & (1u << i)) != 0 ? source[i] : float.NegativeInfinity;
        }
    }
}
