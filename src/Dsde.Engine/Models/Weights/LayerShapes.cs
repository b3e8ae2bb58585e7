namespace Dsde.Engine.Models.Weights;

/// <summary>
/// What a folder stores of one layer, under the names that Hugging Face gives its weights. Legend as in <see cref="LayerWeights"/>.
/// </summary>
internal sealed class LayerShapes
{
    /// <summary>The names and shapes of a layer.</summary>
    /// <param name="config">The model.</param>
    /// <param name="layer">Its number, from the embedding up.</param>
    public LayerShapes(ModelConfig config, int layer)
    {
        long hidden = config.HiddenSize,
            intermediate = config.IntermediateSize,
            queryWidth = (long)config.HeadCount * config.HeadDim,
            kvWidth = (long)config.KvHeadCount * config.HeadDim;
        InputNorm = Norm("input_layernorm", hidden);
        Qkv = new StackShapes(
            hidden,
            config.HasQkvBias,
            (Name("self_attn.q_proj"), queryWidth),
            (Name("self_attn.k_proj"), kvWidth),
            (Name("self_attn.v_proj"), kvWidth)
        );
        Output = new StackShapes(queryWidth, config.HasOutputBias, (Name("self_attn.o_proj"), hidden));
        MlpNorm = Norm(config.HasOutputNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm", hidden);
        GateUp = new StackShapes(hidden, config.HasMlpBias, (Name("mlp.gate_proj"), intermediate), (Name("mlp.up_proj"), intermediate))
        {
            IsGated = true,
        };
        Down = new StackShapes(intermediate, config.HasMlpBias, (Name("mlp.down_proj"), hidden));
        (QueryNorm, KeyNorm) = config.HasQkNorm
            ? (Norm("self_attn.q_norm", config.HeadDim), Norm("self_attn.k_norm", config.HeadDim))
            : (null, null);
        (AttentionOutputNorm, MlpOutputNorm) = config.HasOutputNorms
            ? (Norm("post_attention_layernorm", hidden), Norm("post_feedforward_layernorm", hidden))
            : (null, null);

        string Name(string part) => $"model.layers.{layer}.{part}";
        WeightShape Norm(string part, long width) => new(Name($"{part}.weight"), width);
    }

    /// <summary>Before attention. <c>[H]</c></summary>
    public WeightShape InputNorm { get; }

    /// <summary>Query, key and value projections.</summary>
    public StackShapes Qkv { get; }

    /// <summary>Attention's output projection.</summary>
    public StackShapes Output { get; }

    /// <summary>Before the MLP. <c>[H]</c></summary>
    public WeightShape MlpNorm { get; }

    /// <summary>Gate and up projections.</summary>
    public StackShapes GateUp { get; }

    /// <summary>The MLP's output projection.</summary>
    public StackShapes Down { get; }

    /// <summary>Of each query head. <c>[d]</c>; null without one.</summary>
    public WeightShape? QueryNorm { get; }

    /// <summary>Of each key head. <c>[d]</c>; null without one.</summary>
    public WeightShape? KeyNorm { get; }

    /// <summary>On what attention adds. <c>[H]</c>; null without one.</summary>
    public WeightShape? AttentionOutputNorm { get; }

    /// <summary>On what the MLP adds. <c>[H]</c>; null without one.</summary>
    public WeightShape? MlpOutputNorm { get; }

    /// <summary>All of them.</summary>
    public IEnumerable<WeightShape> All =>
        new[] { InputNorm, MlpNorm, QueryNorm, KeyNorm, AttentionOutputNorm, MlpOutputNorm }
            .OfType<WeightShape>()
            .Concat(new[] { Qkv, Output, GateUp, Down }.SelectMany(stack => stack.All));
}
