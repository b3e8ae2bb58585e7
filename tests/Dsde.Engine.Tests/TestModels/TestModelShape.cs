namespace Dsde.Engine.Tests.TestModels;

/// <summary>A small random Llama model to be written by <see cref="TestModelFolder"/>.</summary>
public sealed record TestModelShape
{
    public int Layers { get; init; } = 3;

    public int Hidden { get; init; } = 32;

    public int Heads { get; init; } = 4;

    public int KvHeads { get; init; } = 2;

    public int HeadDim { get; init; } = 8;

    public int Intermediate { get; init; } = 64;

    public int Context { get; init; } = 128;

    public int Vocabulary { get; init; } = 300;

    /// <summary>Whether the output projection is the embedding; if not, outputs are more varied.</summary>
    public bool Tied { get; init; }

    public bool Bf16 { get; init; }

    /// <summary>Files that the weights are spread over.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>Size of what the layers add; small keeps models with few and many layers alike, as a draft and its target are.</summary>
    public double LayerScale { get; init; } = 0.08;

    /// <summary>Names and shapes of all weights.</summary>
    public IEnumerable<(string Name, int[] Shape)> Weights()
    {
        yield return ("model.embed_tokens.weight", [Vocabulary, Hidden]);
        for (var layer = 0; layer < Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            yield return (prefix + "input_layernorm.weight", [Hidden]);
            yield return (prefix + "self_attn.q_proj.weight", [Heads * HeadDim, Hidden]);
            yield return (prefix + "self_attn.k_proj.weight", [KvHeads * HeadDim, Hidden]);
            yield return (prefix + "self_attn.v_proj.weight", [KvHeads * HeadDim, Hidden]);
            yield return (prefix + "self_attn.o_proj.weight", [Hidden, Heads * HeadDim]);
            yield return (prefix + "post_attention_layernorm.weight", [Hidden]);
            yield return (prefix + "mlp.gate_proj.weight", [Intermediate, Hidden]);
            yield return (prefix + "mlp.up_proj.weight", [Intermediate, Hidden]);
            yield return (prefix + "mlp.down_proj.weight", [Hidden, Intermediate]);
        }

        yield return ("model.norm.weight", [Hidden]);
        if (!Tied)
        {
            yield return ("lm_head.weight", [Vocabulary, Hidden]);
        }
    }
}
