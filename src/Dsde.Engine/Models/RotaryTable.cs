using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models;

/// <summary>
/// Rotary position embedding (Su et al. 2021) in the half-split form of Hugging Face checkpoints: x·cos + swap(x)·sin, where swap exchanges
/// the halves of a head and the sign of the first half is kept in the sine table.
/// </summary>
internal sealed class RotaryTable : IDisposable
{
    private readonly Tensor _cos; // [positions, 1, head dim]
    private readonly Tensor _sin; // [positions, 1, head dim]
    private readonly int _half;

    public RotaryTable(int headDim, double theta, int positions, ScalarType type, Device device, RopeScaling? scaling = null)
    {
        _half = headDim / 2;
        using var scope = NewDisposeScope();
        var frequencies = tensor(Frequencies(headDim, theta, scaling)); // [head dim / 2] f64
        var angles = Scalars.Range(positions, CPU).to(ScalarType.Float64).unsqueeze(1) * frequencies; // [positions, head dim / 2]
        _cos = cat([angles.cos(), angles.cos()], -1).unsqueeze(1).to(type).to(device);
        _sin = cat([-angles.sin(), angles.sin()], -1).unsqueeze(1).to(type).to(device);
        scope.Detach(_cos, _sin);
    }

    /// <summary>cos of each position's angles, both halves alike. <c>[positions, 1, head dim]</c></summary>
    public Tensor Cos => _cos;

    /// <summary>sin of each position's angles, negated in the first half. <c>[positions, 1, head dim]</c></summary>
    public Tensor Sin => _sin;

    /// <summary>
    /// Rotates heads. <paramref name="heads"/>: <c>[R, heads, head dim]</c>, <paramref name="positions"/>: <c>[R] i64</c>; a new tensor.
    /// </summary>
    public Tensor Rotate(Tensor heads, Tensor positions)
    {
        return (heads * _cos.index_select(0, positions)).addcmul_(heads.roll(_half, -1), _sin.index_select(0, positions), Scalars.Of(1));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cos.Dispose();
        _sin.Dispose();
    }

    /// <summary>Radians per position of each pair of a head's numbers.</summary>
    public static double[] Frequencies(int headDim, double theta, RopeScaling? scaling)
    {
        var frequencies = Enumerable.Range(0, headDim / 2).Select(pair => Math.Pow(theta, -2.0 * pair / headDim));
        return [.. scaling is null ? frequencies : frequencies.Select(scaling.Scale)];
    }
}
