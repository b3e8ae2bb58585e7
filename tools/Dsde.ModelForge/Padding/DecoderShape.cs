using System.Text.Json.Nodes;

namespace Dsde.ModelForge.Padding;

/// <summary>Shape of a Llama decoder, as config.json has it.</summary>
/// <param name="HiddenSize">Width of the residual stream (H).</param>
/// <param name="LayerCount">Layers.</param>
/// <param name="HeadCount">Query heads (h).</param>
/// <param name="KvHeadCount">Key and value heads (g), a divisor of the query heads.</param>
/// <param name="HeadDim">Width of one head (d).</param>
/// <param name="IntermediateSize">Width of the gated MLP (I).</param>
internal sealed record DecoderShape(int HiddenSize, int LayerCount, int HeadCount, int KvHeadCount, int HeadDim, int IntermediateSize)
{
    /// <summary>Query heads per key and value head.</summary>
    public int GroupSize => HeadCount / KvHeadCount;

    /// <summary>Numbers in the weights of one layer.</summary>
    public long LayerParameterCount =>
        (2L * HiddenSize) + (2L * HiddenSize * HeadDim * (HeadCount + KvHeadCount)) + (3L * HiddenSize * IntermediateSize);

    /// <summary>Numbers in all weights. <paramref name="embeddingCount"/>: 1 where output and embedding are tied, otherwise 2.</summary>
    public long ParameterCount(int vocabularySize, int embeddingCount) =>
        (LayerCount * LayerParameterCount) + HiddenSize + ((long)embeddingCount * vocabularySize * HiddenSize);

    /// <summary>Reads it from a configuration.</summary>
    /// <exception cref="PaddingException">A number is missing, or the model is not of the Llama architecture.</exception>
    public static DecoderShape Read(JsonObject config, string path)
    {
        if (
            config["architectures"] is not JsonArray { Count: 1 } architectures
            || architectures[0]?.ToString() != "LlamaForCausalLM"
            || config["attention_bias"]?.GetValue<bool>() == true
            || config["mlp_bias"]?.GetValue<bool>() == true
        )
        {
            throw new PaddingException(
                $"{path} describes {config["architectures"]?.ToJsonString() ?? "no architecture"}; only LlamaForCausalLM without "
                    + "biases can be padded."
            );
        }

        int hidden = Number("hidden_size"),
            heads = Number("num_attention_heads");
        return new DecoderShape(
            hidden,
            Number("num_hidden_layers"),
            heads,
            config["num_key_value_heads"]?.GetValue<int>() ?? heads,
            config["head_dim"]?.GetValue<int>() ?? (hidden / heads),
            Number("intermediate_size")
        );

        int Number(string key) => config[key]?.GetValue<int>() ?? throw new PaddingException($"{path} has no \"{key}\".");
    }

    /// <summary>Writes it into a configuration.</summary>
    public void WriteTo(JsonObject config)
    {
        config["hidden_size"] = HiddenSize;
        config["num_hidden_layers"] = LayerCount;
        config["num_attention_heads"] = HeadCount;
        config["num_key_value_heads"] = KvHeadCount;
        config["head_dim"] = HeadDim;
        config["intermediate_size"] = IntermediateSize;
    }
}
