using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Dsde.Engine.Models.Operators.Attention;

/// <summary>softmax(cap(s·QKᵀ) + mask)·V over groups of heads, the fused kernel where it can compute that.</summary>
internal static class Softmax
{
    /// <summary>Attends. Legend: S slots, g kv heads, q query rows, T keys, d head dim.</summary>
    /// <param name="query"><c>[S, g, q, d]</c></param>
    /// <param name="keys"><c>[S, g, T, d]</c></param>
    /// <param name="values"><c>[S, g, T, d]</c></param>
    /// <param name="mask">Added to the scores. <c>[S, 1, q, T]</c>; null for none.</param>
    /// <param name="shape">Scale and soft-cap.</param>
    /// <returns><c>[S, g, q, d]</c>, in the caller's scope.</returns>
    public static Tensor Attend(Tensor query, Tensor keys, Tensor values, Tensor? mask, AttentionShape shape) =>
        shape.SoftCap is null && Math.Abs((shape.Scale * Math.Sqrt(shape.HeadDim)) - 1) < 1e-9
            ? scaled_dot_product_attention(query, keys, values, mask)
            : WrittenOut(query, keys, values, mask, shape);

    /// <summary>
    /// The fused kernel has no soft-cap, and its binding no scale. Scores are fp32, as bf16 would lose what the cap leaves of differences.
    /// </summary>
    private static Tensor WrittenOut(Tensor query, Tensor keys, Tensor values, Tensor? mask, AttentionShape shape)
    {
        using var scope = NewDisposeScope();
        var scores = matmul(query, keys.transpose(-2, -1)).to(ScalarType.Float32); // [S, g, q, T]
        if (shape.SoftCap is { } cap)
        {
            scores.mul_(Scalars.Of(shape.Scale / cap)).tanh_().mul_(Scalars.Of(cap));
        }
        else
        {
            scores.mul_(Scalars.Of(shape.Scale));
        }

        if (mask is not null)
        {
            scores.PlusInPlace(mask);
        }

        return matmul(scores.softmax(-1).to(values.dtype), values).MoveToOuterDisposeScope();
    }
}
