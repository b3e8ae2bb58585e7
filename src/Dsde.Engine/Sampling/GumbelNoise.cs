using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>
/// Standard Gumbel noise by (key, token id): the most probable token after adding it to the log-probabilities is a sample (the Gumbel-max
/// trick). It is −ln(−ln(1 − w)), w uniform in (0, 1) with steps of 2⁻³² near 0: the largest values decide who wins, and must be fine.
/// </summary>
internal static class GumbelNoise
{
    /// <summary>
    /// Noise of some rows in device operations, in the caller's scope, without any transfer but the keys'. Equal hashes as
    /// <see cref="NoiseKernel"/>'s; logarithms may differ in the last bits.
    /// </summary>
    /// <param name="keys">One per row; a row without one is all 0.</param>
    /// <param name="vocabularySize">Row length (V).</param>
    /// <param name="device">Where the noise is wanted.</param>
    /// <returns><c>[n, V] f32</c></returns>
    public static Tensor Compute(IReadOnlyList<NoiseKey?> keys, int vocabularySize, Device device)
    {
        using var scope = NewDisposeScope();
        var parts = keys.SelectMany(key => new long[] { key?.First ?? 0, key?.Second ?? 0, key is null ? 0 : 1 }).ToArray();
        var columns = tensor(parts, dtype: ScalarType.Int64, device: device).view(keys.Count, 3);
        var ids = Scalars.Range(vocabularySize, device);
        var hashes = MixInPlace(MixInPlace(ids.Plus(columns.narrow(1, 0, 1))).PlusInPlace(columns.narrow(1, 1, 1)));
        var uniforms = hashes
            .to(ScalarType.Float32)
            .add_(Scalars.Of(0.5), Scalars.Of(1))
            .mul_(Scalars.Of(NoiseKernel.HashScale))
            .clamp_(max: Scalars.Of(NoiseKernel.LargestUniform));
        var noise = uniforms.neg_().log1p_().neg_().log_().neg_();
        return (keys.Contains(null) ? noise.mul_(columns.narrow(1, 2, 1)) : noise).MoveToOuterDisposeScope();
    }

    /// <summary><see cref="NoiseKernel"/>'s hash in 64-bit integers: the constants are below 2³¹, so that no product overflows.</summary>
    private static Tensor MixInPlace(Tensor values)
    {
        values.bitwise_and_(uint.MaxValue);
        values.bitwise_xor_(values.bitwise_right_shift(16)).mul_(Scalars.Of(NoiseKernel.FirstFactor)).bitwise_and_(uint.MaxValue);
        values.bitwise_xor_(values.bitwise_right_shift(15)).mul_(Scalars.Of(NoiseKernel.SecondFactor)).bitwise_and_(uint.MaxValue);
        return values.bitwise_xor_(values.bitwise_right_shift(15));
    }
}
