using Dsde.Engine.Models.Operators.Attention;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Models.Weights;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Dsde.Engine.Models.Operators;

/// <summary>The operators on torch, for any device and any number of rows.</summary>
/// <param name="attention">How rows attend; in one batched call if not given.</param>
internal sealed class TorchOps(IAttention? attention = null) : IDecoderOps
{
    private readonly IAttention _attention = attention ?? new BatchedAttention();

    /// <inheritdoc/>
    public Tensor RmsNorm(Tensor x, Tensor weight, double eps) => FusedOps.RmsNorm(x, weight, eps);

    /// <inheritdoc/>
    public Tensor Linear(Tensor x, LinearWeight weight) => linear(x, weight.Weight, weight.Bias);

    /// <inheritdoc/>
    public Tensor LinearAdd(Tensor x, LinearWeight weight, Tensor residual) => linear(x, weight.Weight, weight.Bias).PlusInPlace(residual);

    /// <inheritdoc/>
    public Tensor GatedLinear(Tensor x, LinearWeight gateUp, GateActivation activation)
    {
        using var scope = NewDisposeScope();
        var both = linear(x, gateUp.Weight, gateUp.Bias); // [R, 2·I]
        var width = both.shape[1] / 2;
        var gate = both.narrow(1, 0, width);
        var activated = activation == GateActivation.Silu ? silu(gate) : gelu(gate, TorchSharp.Modules.GELU.Approximate.tanh);
        return activated.mul_(both.narrow(1, width, width)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Attend(Tensor qkv, AttentionShape shape, PassRows rows, Tensor keys, Tensor values)
    {
        using var scope = NewDisposeScope();
        var (heads, groups) = (shape.HeadCount, shape.KvHeadCount);
        var split = qkv.view(-1, heads + (2 * groups), shape.HeadDim);
        var rotated = shape.Rotary.Rotate(Normalise(split.narrow(1, 0, heads + groups), shape), rows.Positions); // [R, h + g, d]
        Write(keys, rows.CacheRows, rotated.narrow(1, heads, groups));
        Write(values, rows.CacheRows, split.narrow(1, heads + groups, groups));
        return _attention.Attend(rotated.narrow(1, 0, heads), shape, rows, keys, values).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public IDecoderPass? CreatePass(
        ModelConfig config,
        DecoderWeights weights,
        IReadOnlyList<AttentionShape> attention,
        float embeddingScale
    ) => null;

    /// <inheritdoc/>
    public Tensor Logits(Tensor x, LinearWeight head) => linear(x, head.Weight, head.Bias).to(ScalarType.Float32);

    /// <summary>Normalises query and key heads where the model does. <c>[R, h + g, d]</c></summary>
    private Tensor Normalise(Tensor heads, AttentionShape shape)
    {
        if (shape.QueryNorm is not { } queryNorm || shape.KeyNorm is not { } keyNorm)
        {
            return heads;
        }

        return cat(
            [
                RmsNorm(heads.narrow(1, 0, shape.HeadCount), queryNorm, shape.NormEps),
                RmsNorm(heads.narrow(1, shape.HeadCount, shape.KvHeadCount), keyNorm, shape.NormEps),
            ],
            1
        );
    }

    private static void Write(Tensor cache, Tensor cacheRows, Tensor values) => cache.index_copy_(0, cacheRows, values);
}
