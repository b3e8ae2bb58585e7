using Dsde.Engine.Models.Operators.Attention;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Models.Weights;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators;

/// <summary>
/// Torch's operators with products and norms in blocks of a fixed number of rows, the last one padded, and attention in fixed shapes: a
/// library picks its algorithm by the shape, so that a row's results then don't depend on the rows beside it. For devices that have no
/// operators which are so by themselves.
/// </summary>
internal sealed class FixedShapeOps : IDecoderOps
{
    private const int BlockRows = 16;

    private readonly TorchOps _torch = new(new FixedShapeAttention());

    /// <inheritdoc/>
    public Tensor RmsNorm(Tensor x, Tensor weight, double eps) => InBlocks(x, block => _torch.RmsNorm(block, weight, eps));

    /// <inheritdoc/>
    public Tensor Linear(Tensor x, LinearWeight weight) => InBlocks(x, block => _torch.Linear(block, weight));

    /// <inheritdoc/>
    public Tensor LinearAdd(Tensor x, LinearWeight weight, Tensor residual) => Linear(x, weight).PlusInPlace(residual);

    /// <inheritdoc/>
    public Tensor GatedLinear(Tensor x, LinearWeight gateUp, GateActivation activation) =>
        InBlocks(x, block => _torch.GatedLinear(block, gateUp, activation));

    /// <inheritdoc/>
    public Tensor Logits(Tensor x, LinearWeight head) => InBlocks(x, block => _torch.Logits(block, head));

    /// <inheritdoc/>
    public Tensor Attend(Tensor qkv, AttentionShape shape, PassRows rows, Tensor keys, Tensor values)
    {
        if (shape.QueryNorm is not { } queryNorm || shape.KeyNorm is not { } keyNorm)
        {
            return _torch.Attend(qkv, shape, rows, keys, values);
        }

        // The heads' norms sum over rows of a shape that depends on the pass, and so are taken in blocks as well.
        using var scope = NewDisposeScope();
        long queryWidth = shape.HeadCount * shape.HeadDim,
            keyWidth = shape.KvHeadCount * shape.HeadDim;
        var normed = cat(
            [
                NormHeads(qkv.narrow(1, 0, queryWidth), queryNorm, shape),
                NormHeads(qkv.narrow(1, queryWidth, keyWidth), keyNorm, shape),
                qkv.narrow(1, queryWidth + keyWidth, keyWidth),
            ],
            1
        );
        return _torch.Attend(normed, shape with { QueryNorm = null, KeyNorm = null }, rows, keys, values).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public IDecoderPass? CreatePass(
        ModelConfig config,
        DecoderWeights weights,
        IReadOnlyList<AttentionShape> attention,
        float embeddingScale
    ) => null;

    private Tensor NormHeads(Tensor heads, Tensor weight, AttentionShape shape) =>
        InBlocks(heads, block => _torch.RmsNorm(block.reshape(BlockRows, -1, shape.HeadDim), weight, shape.NormEps).reshape(BlockRows, -1));

    /// <summary>
    /// Applies a function of <see cref="BlockRows"/> rows to any number. <paramref name="x"/>: <c>[R, …]</c>; result <c>[R, …]</c>, in the
    /// caller's scope.
    /// </summary>
    private static Tensor InBlocks(Tensor x, Func<Tensor, Tensor> compute)
    {
        using var scope = NewDisposeScope();
        var rows = x.shape[0];
        var padding = (BlockRows - (rows % BlockRows)) % BlockRows;
        var padded = padding == 0 ? x : cat([x, zeros([padding, x.shape[1]], x.dtype, x.device)]);
        var blocks = Enumerable
            .Range(0, (int)(padded.shape[0] / BlockRows))
            .Select(block => compute(padded.narrow(0, (long)block * BlockRows, BlockRows)))
            .ToList();
        return cat(blocks).narrow(0, 0, rows).MoveToOuterDisposeScope();
    }
}
