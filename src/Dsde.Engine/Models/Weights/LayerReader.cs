using Dsde.Engine.Models.Operators;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Weights;

/// <summary>Reads one layer under the names that Hugging Face gives its weights, onto one device.</summary>
internal sealed class LayerReader(MappedWeights files, IDecoderOps ops, ModelConfig config, Device device, string prefix)
{
    private readonly long _hidden = config.HiddenSize;
    private readonly long _intermediate = config.IntermediateSize;
    private readonly long _queryWidth = (long)config.HeadCount * config.HeadDim;
    private readonly long _kvWidth = (long)config.KvHeadCount * config.HeadDim;

    /// <summary>The layer, in the caller's scope.</summary>
    public LayerWeights Read() =>
        new(
            ReadNorm("input_layernorm", _hidden),
            ReadStacked(
                config.HasQkvBias,
                _hidden,
                ("self_attn.q_proj", _queryWidth),
                ("self_attn.k_proj", _kvWidth),
                ("self_attn.v_proj", _kvWidth)
            ),
            ReadStacked(config.HasOutputBias, _queryWidth, ("self_attn.o_proj", _hidden)),
            ReadNorm(config.HasOutputNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm", _hidden),
            Load(isGated: true, config.HasMlpBias, _hidden, ("mlp.gate_proj", _intermediate), ("mlp.up_proj", _intermediate)),
            ReadStacked(config.HasMlpBias, _intermediate, ("mlp.down_proj", _hidden)),
            device
        )
        {
            QueryNorm = config.HasQkNorm ? ReadNorm("self_attn.q_norm", config.HeadDim) : null,
            KeyNorm = config.HasQkNorm ? ReadNorm("self_attn.k_norm", config.HeadDim) : null,
            AttentionOutputNorm = config.HasOutputNorms ? ReadNorm("post_attention_layernorm", _hidden) : null,
            MlpOutputNorm = config.HasOutputNorms ? ReadNorm("post_feedforward_layernorm", _hidden) : null,
        };

    private Tensor ReadNorm(string name, long width) => files.ReadNorm($"{prefix}{name}.weight", device, width, config.NormsAreOffsets);

    private LinearWeight ReadStacked(bool hasBias, long inputWidth, params (string Name, long Width)[] parts) =>
        Load(isGated: false, hasBias, inputWidth, parts);

    /// <summary>Layers that read the same input, one below the other.</summary>
    private LinearWeight Load(bool isGated, bool hasBias, long inputWidth, params (string Name, long Width)[] parts)
    {
        using var scope = NewDisposeScope();
        var stored = new StoredLinear(
            [.. parts.Select(part => files.View($"{prefix}{part.Name}.weight", part.Width, inputWidth))],
            hasBias ? [.. parts.Select(part => files.View($"{prefix}{part.Name}.bias", part.Width))] : [],
            isGated
        );
        var weight = ops.Load(stored, files.Type, device);
        foreach (var tensor in weight.Tensors)
        {
            tensor.MoveToOuterDisposeScope();
        }

        return weight;
    }
}
