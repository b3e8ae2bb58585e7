using Dsde.Engine.Torch;
using Dsde.ModelForge.Folders;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Dsde.ModelForge.Training;

/// <summary>
/// A Llama decoder that can be trained: whole sequences, causal attention, no cache. Weights are fp32; products are computed in a type of
/// choice. Legend: B sequences, T positions, otherwise as in <see cref="ModelShape"/>.
/// </summary>
internal sealed class TrainableDecoder : IDisposable
{
    private const double InitialSpread = 0.02;

    private readonly Dictionary<string, Parameter> _weights = [];
    private readonly ScalarType _computeType;
    private readonly Tensor _cos; // [context, head dim]
    private readonly Tensor _sin; // [context, head dim]

    public TrainableDecoder(ModelShape shape, ScalarType computeType, Generator generator)
    {
        Shape = shape;
        _computeType = computeType;
        foreach (var (name, lengths) in shape.Weights())
        {
            using var scope = NewDisposeScope();
            var isNorm = lengths.Length == 1;
            var writesResidual =
                name.EndsWith("o_proj.weight", StringComparison.Ordinal) || name.EndsWith("down_proj.weight", StringComparison.Ordinal);
            var spread = writesResidual ? InitialSpread / Math.Sqrt(2 * shape.LayerCount) : InitialSpread;
            var weight = isNorm ? ones(lengths) : randn(lengths, generator: generator).mul_(Scalars.Of(spread));
            var parameter = new Parameter(weight);
            parameter.DetachFromDisposeScope();
            _weights.Add(name, parameter);
        }

        (_cos, _sin) = Rotations();
    }

    /// <summary>The shape.</summary>
    public ModelShape Shape { get; }

    /// <summary>Weights by their checkpoint names.</summary>
    public IEnumerable<(string Name, Tensor Weight)> Weights => _weights.Select(pair => (pair.Key, (Tensor)pair.Value));

    /// <summary>What is trained; matrices decay, norms don't.</summary>
    public IEnumerable<(Parameter Parameter, bool Decays)> Parameters => _weights.Values.Select(weight => (weight, weight.dim() > 1));

    /// <summary>Logits of every position. <paramref name="tokens"/>: <c>[B, T] i64</c>; result <c>[B·T, V] f32</c>.</summary>
    public Tensor Forward(Tensor tokens)
    {
        var (batch, length) = (tokens.shape[0], tokens.shape[1]);
        var cos = _cos.narrow(0, 0, length).to(_computeType);
        var sin = _sin.narrow(0, 0, length).to(_computeType);
        var hidden = _weights["model.embed_tokens.weight"]
            .index_select(0, tokens.reshape(-1))
            .view(batch, length, Shape.HiddenSize)
            .to(_computeType); // [B, T, H]
        for (var layer = 0; layer < Shape.LayerCount; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            hidden = hidden.Plus(Attend(prefix, Norm(hidden, prefix + "input_layernorm.weight"), cos, sin));
            var normed = Norm(hidden, prefix + "post_attention_layernorm.weight");
            var gated = silu(Project(normed, prefix + "mlp.gate_proj.weight")) * Project(normed, prefix + "mlp.up_proj.weight");
            hidden = hidden.Plus(Project(gated, prefix + "mlp.down_proj.weight"));
        }

        var final = Norm(hidden, "model.norm.weight").view(batch * length, Shape.HiddenSize);
        return Project(final, "model.embed_tokens.weight").to(ScalarType.Float32);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var weight in _weights.Values)
        {
            weight.Dispose();
        }

        _cos.Dispose();
        _sin.Dispose();
    }

    private Tensor Project(Tensor input, string weight) => linear(input, _weights[weight].to(_computeType));

    private Tensor Norm(Tensor hidden, string weight)
    {
        var wide = hidden.to(ScalarType.Float32);
        return (
            wide * (wide * wide).mean([-1], keepdim: true).add(Scalars.Of(ModelShape.RmsNormEps), Scalars.Of(1)).rsqrt() * _weights[weight]
        ).to(_computeType);
    }

    private Tensor Attend(string prefix, Tensor input, Tensor cos, Tensor sin)
    {
        var query = Rotate(Heads(Project(input, prefix + "self_attn.q_proj.weight")), cos, sin); // [B, h, T, d]
        var key = Rotate(Heads(Project(input, prefix + "self_attn.k_proj.weight")), cos, sin); // [B, g, T, d]
        var value = Heads(Project(input, prefix + "self_attn.v_proj.weight"));
        var group = Shape.HeadCount / Shape.KvHeadCount;
        var attended = scaled_dot_product_attention(
            query,
            key.repeat_interleave(group, 1),
            value.repeat_interleave(group, 1),
            null,
            0,
            true
        ); // [B, h, T, d]
        return Project(attended.transpose(1, 2).reshape(input.shape[0], input.shape[1], -1), prefix + "self_attn.o_proj.weight");
    }

    private static Tensor Heads(Tensor projected) =>
        projected.view(projected.shape[0], projected.shape[1], -1, ModelShape.HeadDim).transpose(1, 2);

    /// <summary>The half-split rotation of Hugging Face checkpoints.</summary>
    private static Tensor Rotate(Tensor heads, Tensor cos, Tensor sin) => (heads * cos).Plus(heads.roll(ModelShape.HeadDim / 2, -1) * sin);

    private static (Tensor Cos, Tensor Sin) Rotations()
    {
        using var scope = NewDisposeScope();
        var frequencies = pow(
            ModelShape.RopeTheta,
            Scalars.Range(ModelShape.HeadDim / 2, CPU).to(ScalarType.Float32).mul_(Scalars.Of(-2.0 / ModelShape.HeadDim))
        );
        var angles = Scalars.Range(ModelShape.ContextLength, CPU).to(ScalarType.Float32).unsqueeze(1) * frequencies; // [context, d / 2]
        return (
            cat([angles.cos(), angles.cos()], -1).DetachFromDisposeScope(),
            cat([-angles.sin(), angles.sin()], -1).DetachFromDisposeScope()
        );
    }
}
