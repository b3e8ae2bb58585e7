namespace Dsde.Engine.Models;

/// <summary>
/// Reads <c>config.json</c> and <c>generation_config.json</c>. A setting that would change the computation and is not implemented is
/// refused here: loading it anyway would give plausible nonsense.
/// </summary>
internal static class ModelConfigReader
{
    /// <summary>The configuration's file name.</summary>
    public const string FileName = "config.json";

    private const string GenerationFileName = "generation_config.json";

    // What Hugging Face's LlamaConfig takes where a key is absent.
    private const double DefaultRmsNormEps = 1e-6;
    private const double DefaultRopeTheta = 10_000;
    private const int DefaultContextLength = 2048;

    public static ModelConfig Read(string folder)
    {
        var config = JsonSettings.Load(Path.Combine(folder, FileName));
        RefuseUnsupported(config);
        var hiddenSize = config.RequiredPositiveInt("hidden_size");
        var headCount = config.RequiredPositiveInt("num_attention_heads");
        return new ModelConfig
        {
            HiddenSize = hiddenSize,
            LayerCount = config.RequiredPositiveInt("num_hidden_layers"),
            HeadCount = headCount,
            KvHeadCount = ReadKvHeadCount(config, headCount),
            HeadDim = ReadHeadDim(config, hiddenSize, headCount),
            IntermediateSize = config.RequiredPositiveInt("intermediate_size"),
            VocabularySize = config.RequiredPositiveInt("vocab_size"),
            RmsNormEps = config.PositiveNumber("rms_norm_eps") ?? DefaultRmsNormEps,
            RopeTheta = ReadRopeTheta(config),
            ContextLength = config.PositiveInt("max_position_embeddings") ?? DefaultContextLength,
            TieWordEmbeddings = config.Bool("tie_word_embeddings", false),
            BosTokenId = config.TokenIds("bos_token_id") is [var bos, ..] ? bos : null,
            EosTokenIds = ReadEosTokenIds(config, folder),
            TorchDtype = config.String("dtype") ?? config.String("torch_dtype"),
        };
    }

    private static void RefuseUnsupported(JsonSettings config)
    {
        var architectures = config.Find("architectures") ?? throw config.Missing("architectures");
        if (architectures.GetRawText().Replace(" ", "", StringComparison.Ordinal).ReplaceLineEndings("") != "[\"LlamaForCausalLM\"]")
        {
            throw config.Unsupported("architectures", architectures, "[\"LlamaForCausalLM\"]");
        }

        foreach (var key in (string[])["attention_bias", "mlp_bias"])
        {
            if (config.Bool(key, false))
            {
                throw new ModelLoadException($"{config.Path}: \"{key}\" is true; supported: false (projections without bias).");
            }
        }

        if (config.Find("hidden_act") is { } activation && config.String("hidden_act") is not "silu")
        {
            throw config.Unsupported("hidden_act", activation, "\"silu\"");
        }

        if (config.Find("quantization_config") is { } quantization)
        {
            throw config.Unsupported("quantization_config", quantization, "none (weights in bf16, fp16 or fp32)");
        }

        if (config.PositiveNumber("partial_rotary_factor") is not (null or 1))
        {
            throw config.Unsupported("partial_rotary_factor", config.Find("partial_rotary_factor")!.Value, "1");
        }
    }

    private static int ReadKvHeadCount(JsonSettings config, int headCount)
    {
        var kvHeadCount = config.PositiveInt("num_key_value_heads") ?? headCount;
        return headCount % kvHeadCount == 0
            ? kvHeadCount
            : throw new ModelLoadException(
                $"{config.Path}: \"num_key_value_heads\" is {kvHeadCount}; supported: a divisor of \"num_attention_heads\" ({headCount}).");
    }

    private static int ReadHeadDim(JsonSettings config, int hiddenSize, int headCount)
    {
        var explicitly = config.PositiveInt("head_dim");
        if (explicitly is null && hiddenSize % headCount != 0)
        {
            throw new ModelLoadException(
                $"{config.Path}: \"hidden_size\" is {hiddenSize}; supported without \"head_dim\": a multiple of \"num_attention_heads\" ({headCount}).");
        }

        var headDim = explicitly ?? hiddenSize / headCount;
        return headDim % 2 == 0
            ? headDim
            : throw new ModelLoadException($"{config.Path}: the width of a head (\"head_dim\") is {headDim}; supported: an even number, for the rotary embedding.");
    }

    /// <summary>Older files hold the base at the top, newer ones beside the kind of scaling, under either name.</summary>
    private static double ReadRopeTheta(JsonSettings config)
    {
        var theta = config.PositiveNumber("rope_theta");
        foreach (var key in (string[])["rope_parameters", "rope_scaling"])
        {
            if (config.Section(key) is not { } rope)
            {
                continue;
            }

            if ((rope.String("rope_type") ?? rope.String("type")) is not (null or "default"))
            {
                throw config.Unsupported(key, config.Find(key)!.Value, "null, or an object with \"rope_type\": \"default\" (unscaled positions)");
            }

            theta = rope.PositiveNumber("rope_theta") ?? theta;
        }

        return theta ?? DefaultRopeTheta;
    }

    private static List<int> ReadEosTokenIds(JsonSettings config, string folder)
    {
        var generationPath = Path.Combine(folder, GenerationFileName);
        var generation = File.Exists(generationPath) ? JsonSettings.Load(generationPath) : null;
        return [.. config.TokenIds("eos_token_id").Union(generation?.TokenIds("eos_token_id") ?? [])];
    }
}
