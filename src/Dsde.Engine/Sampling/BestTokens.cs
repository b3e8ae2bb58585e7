using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Torch;
using Dsde.Grammars.Tokens;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>
/// The best token of each row on a CPU. What grammars rule out, temperatures scale and noise adds is looked at where it stands: rows of a
/// large vocabulary are read, and none is written out.
/// </summary>
internal static class BestTokens
{
    /// <summary>The token of each row with the largest score, in the caller's scope; among equals the first.</summary>
    /// <param name="scores">Raw, or as they are after penalties and truncation. <c>[n, V] f32</c></param>
    /// <param name="noise">Added last; null for none.</param>
    /// <param name="allowed">Of each row at least one token, null for all; null where no row is held to anything.</param>
    /// <param name="scaling">
    /// Temperatures by which scores are still to be scaled, as <see cref="TokenScores"/> does it; null if they are, or there are none.
    /// </param>
    /// <returns>
    /// <c>[n] i64</c>, and the distances to the second best, at most <see cref="TokenMeasures.LargestMargin"/>, <c>[n] f32</c>.
    /// </returns>
    public static unsafe (Tensor Best, Tensor Margins) Find(
        Tensor scores,
        RowNoise? noise,
        IReadOnlyList<TokenSet?>? allowed = null,
        SamplingRows? scaling = null
    )
    {
        using var rows = new ContiguousTensor(scores);
        var (count, length) = ((int)scores.shape[0], (int)scores.shape[1]);
        var inverses = scaling?.InverseTemperature?.data<float>().ToArray();
        var (best, margins) = (empty([count], ScalarType.Int64), empty([count], ScalarType.Float32));
        var ids = (long*)NativeTensor.Address(best);
        var distances = (float*)NativeTensor.Address(margins);
        for (var row = 0; row < count; row++)
        {
            var values = rows.Address<float>() + ((long)row * length);
            var set = allowed?[row];
            var scale = inverses?[row] ?? 1;
            ids[row] = set is { IsFew: true }
                ? LogitKernel.FindBestOf(values, noise?.Keys[row], set.Ids, scale, out var margin)
                : LogitKernel.FindBest(values, noise?.Keys[row], length, set is null ? default : set.Words, scale, out margin);
            distances[row] = Math.Min(margin, TokenMeasures.LargestMargin);
        }

        return (best, margins);
    }
}
