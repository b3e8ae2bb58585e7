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

    public RotaryTable(int headDim, double theta, int positions, ScalarType type, Device device)
    {
        _half = headDim / 2;
        using var scope = NewDisposeScope();
        var frequencies = pow(theta, arange(0, headDim, 2, ScalarType.Float64).div(-headDim)); // [head dim / 2]
        var angles = arange(0, positions, ScalarType.Float64).unsqueeze(1) * frequencies; // [positions, head dim / 2]
        _cos = cat([angles.cos(), angles.cos()], -1).unsqueeze(1).to(type).to(device).DetachFromDisposeScope();
        _sin = cat([-angles.sin(), angles.sin()], -1).unsqueeze(1).to(type).to(device).DetachFromDisposeScope();
    }

    /// <summary>cos of each position's angles, both halves alike. <c>[positions, 1, head dim]</c></summary>
    public Tensor Cos => _cos;

    /// <summary>sin of each position's angles, negated in the first half. <c>[positions, 1, head dim]</c></summary>
    public Tensor Sin => _sin;

    /// <summary>Rotates heads. <paramref name="heads"/>: <c>[R, heads, head dim]</c>, <paramref name="positions"/>: <c>[R] i64</c>; a new tensor.</summary>
    public Tensor Rotate(Tensor heads, Tensor positions)
    {
        return (heads * _cos.index_select(0, positions)).addcmul_(heads.roll(_half, -1), _sin.index_select(0, positions), 1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cos.Dispose();
        _sin.Dispose();
    }
}
