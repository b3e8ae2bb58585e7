using Dsde.Engine.Kv;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Operators;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Models.Weights;
using static TorchSharp.torch;

namespace Dsde.Engine.Tests.Models.Operators;

/// <summary>Operators that give no whole passes: a decoder has to go through them one by one.</summary>
internal sealed class SingleOperators(IDecoderOps ops) : IDecoderOps
{
    public KvLayout CacheLayout => ops.CacheLayout;

    public LinearWeight Load(StoredLinear stored, ScalarType type, Device device) => ops.Load(stored, type, device);

    public Tensor Embed(Tensor tokenIds, LinearWeight embedding) => ops.Embed(tokenIds, embedding);

    public Tensor RmsNorm(Tensor x, Tensor weight, double eps) => ops.RmsNorm(x, weight, eps);

    public Tensor Linear(Tensor x, LinearWeight weight) => ops.Linear(x, weight);

    public Tensor LinearAdd(Tensor x, LinearWeight weight, Tensor residual) => ops.LinearAdd(x, weight, residual);

    public Tensor GatedLinear(Tensor x, LinearWeight gateUp, GateActivation activation) => ops.GatedLinear(x, gateUp, activation);

    public Tensor Attend(Tensor qkv, AttentionShape shape, PassRows rows, Tensor keys, Tensor values) =>
        ops.Attend(qkv, shape, rows, keys, values);

    public Tensor Logits(Tensor x, LinearWeight head) => ops.Logits(x, head);

    public IDecoderPass? CreatePass(
        ModelConfig config,
        DecoderWeights weights,
        IReadOnlyList<AttentionShape> attention,
        float embeddingScale
    ) => null;
}
