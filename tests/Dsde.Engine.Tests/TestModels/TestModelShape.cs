namespace Dsde.Engine.Tests.TestModels;

/// <summary>A small random model to be written by <see cref="TestModelFolder"/>.</summary>
public sealed record TestModelShape
{
    /// <summary>Lower layers of a Qwen model that don't slide even if others do.</summary>
    public const int QwenFullLayers = 1;

    public TestFamily Family { get; init; }

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

    /// <summary>Biases in all projections of a Llama model. Qwen2 has its own in any case.</summary>
    public bool HasBiases { get; init; }

    /// <summary>Positions that sliding layers see.</summary>
    public int? SlidingWindow { get; init; }

    public TestRopeScaling? RopeScaling { get; init; }

    /// <summary>Gemma 2: scores are divided by its root.</summary>
    public double QueryScalar { get; init; } = 12;

    public double? AttentionSoftCap { get; init; } = 2;

    public double? LogitSoftCap { get; init; } = 5;

    /// <summary>Type of the stored weights as safetensors names it: F32, BF16 or F16.</summary>
    public string StoredAs { get; init; } = "F32";

    /// <summary>Files that the weights are spread over.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>Size of what the layers add; small keeps models with few and many layers alike, as a draft and its target are.</summary>
    public double LayerScale { get; init; } = 0.08;

    /// <summary>How far norm weights are from 1.</summary>
    public double NormSpread { get; init; }

    /// <summary>A weight that is stored with a dimension too many.</summary>
    public string? Misshapen { get; init; }

    /// <summary>A weight of which one element, in the middle, has another value.</summary>
    public (string Name, float Value)? Poison { get; init; }

    /// <summary>A weight that holds what another does.</summary>
    public (string Name, string Of)? Copy { get; init; }

    /// <summary>Weights that the family does not have.</summary>
    public IReadOnlyList<(string Name, int[] Shape)> Extra { get; init; } = [];

    /// <summary>Values of some weights, by name.</summary>
    public IReadOnlyDictionary<string, float[]> Given { get; init; } = new Dictionary<string, float[]>();

    /// <summary>Names and shapes of all weights.</summary>
    public IEnumerable<(string Name, int[] Shape)> Weights() => OwnWeights().Concat(Extra);

    private IEnumerable<(string Name, int[] Shape)> OwnWeights()
    {
        yield return ("model.embed_tokens.weight", [Vocabulary, Hidden]);
        foreach (var weight in Enumerable.Range(0, Layers).SelectMany(LayerWeights))
        {
            yield return weight;
        }

        yield return ("model.norm.weight", [Hidden]);
        if (!Tied)
        {
            yield return ("lm_head.weight", [Vocabulary, Hidden]);
        }
    }

    private static bool IsQkv(string name) => name is "self_attn.q_proj" or "self_attn.k_proj" or "self_attn.v_proj";

    private IEnumerable<(string Name, int[] Shape)> LayerWeights(int layer)
    {
        var prefix = $"model.layers.{layer}.";
        yield return (prefix + "input_layernorm.weight", [Hidden]);
        foreach (
            var (name, output, input) in new[]
            {
                ("self_attn.q_proj", Heads * HeadDim, Hidden),
                ("self_attn.k_proj", KvHeads * HeadDim, Hidden),
                ("self_attn.v_proj", KvHeads * HeadDim, Hidden),
                ("self_attn.o_proj", Hidden, Heads * HeadDim),
                ("mlp.gate_proj", Intermediate, Hidden),
                ("mlp.up_proj", Intermediate, Hidden),
                ("mlp.down_proj", Hidden, Intermediate),
            }
        )
        {
            yield return ($"{prefix}{name}.weight", [output, input]);
            if (HasBiases || (Family == TestFamily.Qwen2 && IsQkv(name)))
            {
                yield return ($"{prefix}{name}.bias", [output]);
            }
        }

        yield return (prefix + "post_attention_layernorm.weight", [Hidden]);
        if (Family == TestFamily.Qwen3)
        {
            yield return (prefix + "self_attn.q_norm.weight", [HeadDim]);
            yield return (prefix + "self_attn.k_norm.weight", [HeadDim]);
        }

        if (Family == TestFamily.Gemma2)
        {
            yield return (prefix + "pre_feedforward_layernorm.weight", [Hidden]);
            yield return (prefix + "post_feedforward_layernorm.weight", [Hidden]);
        }
    }
}
