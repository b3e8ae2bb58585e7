using System.Text.Json.Nodes;
using Dsde.ModelForge.Bpe;

namespace Dsde.ModelForge.Folders;

/// <summary>Shape of a Llama decoder with tied embeddings.</summary>
/// <param name="Name">Folder name.</param>
/// <param name="VocabularySize">Tokens (V).</param>
/// <param name="HiddenSize">Width of the residual stream (H).</param>
/// <param name="LayerCount">Layers.</param>
/// <param name="HeadCount">Query heads (h).</param>
/// <param name="KvHeadCount">Key and value heads (g).</param>
/// <param name="IntermediateSize">Width of the gated MLP (I).</param>
internal sealed record ModelShape(
    string Name,
    int VocabularySize,
    int HiddenSize,
    int LayerCount,
    int HeadCount,
    int KvHeadCount,
    int IntermediateSize
)
{
    public const string TargetName = "dsde-demo-target";
    public const string DraftName = "dsde-demo-draft";
    public const int HeadDim = 32;
    public const int ContextLength = 1024;
    public const double RopeTheta = 10000;
    public const double RmsNormEps = 1e-5;

    /// <summary>The demo target: deep and narrow, so that a draft of one layer is cheap beside it.</summary>
    public static ModelShape Target(int vocabularySize) => new(TargetName, vocabularySize, 192, 12, 6, 2, 384);

    /// <summary>The demo draft: at most a tenth of the target.</summary>
    public static ModelShape Draft(int vocabularySize) => new(DraftName, vocabularySize, 128, 1, 4, 2, 256);

    /// <summary>Numbers in all weights.</summary>
    public long ParameterCount => Weights().Sum(weight => weight.Shape.Aggregate(1L, (count, length) => count * length));

    /// <summary>Names and shapes of all weights, as Hugging Face checkpoints have them.</summary>
    public IEnumerable<(string Name, long[] Shape)> Weights()
    {
        yield return ("model.embed_tokens.weight", [VocabularySize, HiddenSize]);
        for (var layer = 0; layer < LayerCount; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            yield return (prefix + "input_layernorm.weight", [HiddenSize]);
            yield return (prefix + "self_attn.q_proj.weight", [HeadCount * HeadDim, HiddenSize]);
            yield return (prefix + "self_attn.k_proj.weight", [KvHeadCount * HeadDim, HiddenSize]);
            yield return (prefix + "self_attn.v_proj.weight", [KvHeadCount * HeadDim, HiddenSize]);
            yield return (prefix + "self_attn.o_proj.weight", [HiddenSize, HeadCount * HeadDim]);
            yield return (prefix + "post_attention_layernorm.weight", [HiddenSize]);
            yield return (prefix + "mlp.gate_proj.weight", [IntermediateSize, HiddenSize]);
            yield return (prefix + "mlp.up_proj.weight", [IntermediateSize, HiddenSize]);
            yield return (prefix + "mlp.down_proj.weight", [HiddenSize, IntermediateSize]);
        }

        yield return ("model.norm.weight", [HiddenSize]);
    }

    /// <summary>Content of config.json.</summary>
    public JsonObject ToConfig() =>
        new()
        {
            ["architectures"] = new JsonArray("LlamaForCausalLM"),
            ["model_type"] = "llama",
            ["vocab_size"] = VocabularySize,
            ["hidden_size"] = HiddenSize,
            ["intermediate_size"] = IntermediateSize,
            ["num_hidden_layers"] = LayerCount,
            ["num_attention_heads"] = HeadCount,
            ["num_key_value_heads"] = KvHeadCount,
            ["head_dim"] = HeadDim,
            ["hidden_act"] = "silu",
            ["max_position_embeddings"] = ContextLength,
            ["rms_norm_eps"] = RmsNormEps,
            ["rope_theta"] = RopeTheta,
            ["tie_word_embeddings"] = true,
            ["attention_bias"] = false,
            ["mlp_bias"] = false,
            ["torch_dtype"] = "bfloat16",
            ["eos_token_id"] = EndTokens(),
            ["pad_token_id"] = SpecialTokens.Padding,
        };

    /// <summary>Content of generation_config.json.</summary>
    public static JsonObject ToGenerationConfig() => new() { ["eos_token_id"] = EndTokens(), ["pad_token_id"] = SpecialTokens.Padding };

    private static JsonArray EndTokens() => new(SpecialTokens.TurnEnd, SpecialTokens.TextEnd);
}
