using Dsde.Engine.Models.Operators;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Weights;

/// <summary>Reads one layer under the names that Hugging Face gives its weights, onto one device.</summary>
internal sealed class LayerReader(MappedWeights files, WeightMemory memory, ModelConfig config, Device device, string prefix)
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
            ReadStacked(config.HasMlpBias, _hidden, ("mlp.gate_proj", _intermediate), ("mlp.up_proj", _intermediate)),
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

    /// <summary>Layers that read the same input, one below the other.</summary>
    private LinearWeight ReadStacked(bool hasBias, long inputWidth, params (string Name, long Width)[] parts)
    {
        var weights = parts.Select(part => files.Read($"{prefix}{part.Name}.weight", device, part.Width, inputWidth)).ToArray();
        var biases = hasBias ? parts.Select(part => files.Read($"{prefix}{part.Name}.bias", device, part.Width)).ToArray() : [];
        return new LinearWeight(memory.Stack(weights), hasBias ? cat(biases) : null);
    }
}
