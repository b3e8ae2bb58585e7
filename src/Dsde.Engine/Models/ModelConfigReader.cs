using Dsde.Engine.Models.Families;
using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Models;

/// <summary>
/// Reads <c>config.json</c> and <c>generation_config.json</c>. A setting that would change the computation and is not implemented is
/// refused, here or by the family: loading it anyway would give plausible nonsense.
/// </summary>
internal static class ModelConfigReader
{
    /// <summary>The configuration's file name.</summary>
    public const string FileName = "config.json";

    private const string GenerationFileName = "generation_config.json";

    public static ModelConfig Read(string folder)
    {
        var config = JsonSettings.Load(Path.Combine(folder, FileName));
        var family = ModelFamilies.Find(config);
        RefuseQuantized(config);
        return family.Complete(config, ReadCommon(config, family, folder));
    }

    private static ModelConfig ReadCommon(JsonSettings config, IModelFamily family, string folder)
    {
        var headCount = config.RequiredPositiveInt("num_attention_heads");
        var layerCount = ReadLayerCount(config);
        var headDim = ReadHeadDim(config, family.Defaults, headCount);
        var kvHeadCount = ReadKvHeadCount(config, family.Defaults, headCount);
        RefuseAbsurdKeys(config, kvHeadCount, headDim);
        var (ropeTheta, ropeScaling) = RopeSettings.Read(config, family.Defaults.RopeTheta);
        return new ModelConfig
        {
            Family = family.Name,
            HiddenSize = config.RequiredPositiveInt("hidden_size"),
            LayerCount = layerCount,
            HeadCount = headCount,
            KvHeadCount = kvHeadCount,
            HeadDim = headDim,
            IntermediateSize = config.RequiredPositiveInt("intermediate_size"),
            VocabularySize = config.RequiredPositiveInt("vocab_size"),
            RmsNormEps = config.PositiveNumber("rms_norm_eps") ?? family.Defaults.RmsNormEps,
            RopeTheta = ropeTheta,
            RopeScaling = ropeScaling,
            ContextLength = ReadContextLength(config, family.Defaults),
            TieWordEmbeddings = config.Bool("tie_word_embeddings", family.Defaults.TieWordEmbeddings),
            AttentionScale = 1 / Math.Sqrt(headDim),
            SlidingWindows = new int?[layerCount],
            BosTokenId = config.TokenIds("bos_token_id") is [var bos, ..] ? bos : null,
            EosTokenIds = ReadEosTokenIds(config, folder),
            TorchDtype = config.String("dtype") ?? config.String("torch_dtype"),
        };
    }

    /// <summary>Lists are as long as this, so that it is bounded before they are made.</summary>
    private static int ReadLayerCount(JsonSettings config)
    {
        const int most = 1 << 14;
        var count = config.RequiredPositiveInt("num_hidden_layers");
        return count <= most
            ? count
            : throw new ModelLoadException($"{config.Path}: \"num_hidden_layers\" is {count}; supported: at most {most}.");
    }

    /// <summary>Bounded with the layers, so that the bytes of a whole cache can be counted.</summary>
    private static void RefuseAbsurdKeys(JsonSettings config, int kvHeadCount, int headDim)
    {
        const long most = 1 << 18;
        if ((long)kvHeadCount * headDim is var width and > most)
        {
            throw new ModelLoadException(
                $"{config.Path}: the keys of a position (\"num_key_value_heads\" of {kvHeadCount} times a head's width of {headDim}) "
                    + $"are {width} numbers; supported: at most {most}."
            );
        }
    }

    private static int ReadContextLength(JsonSettings config, FamilyDefaults defaults)
    {
        const int most = 1 << 26;
        var length = config.PositiveInt("max_position_embeddings") ?? defaults.ContextLength;
        return length <= most
            ? length
            : throw new ModelLoadException($"{config.Path}: \"max_position_embeddings\" is {length}; supported: at most {most}.");
    }

    private static void RefuseQuantized(JsonSettings config)
    {
        if (config.Find("quantization_config") is { } quantization)
        {
            var method = config.Section("quantization_config")?.Find("quant_method");
            throw method is { ValueKind: System.Text.Json.JsonValueKind.String } named
                ? new ModelLoadException(
                    $"{config.Path}: the weights are quantized by {named.GetString()}; supported: bf16, fp16 and fp32. Use the model's "
                        + "unquantized folder."
                )
                : config.Unsupported("quantization_config", quantization, "none (weights in bf16, fp16 or fp32)");
        }
    }

    private static int ReadKvHeadCount(JsonSettings config, FamilyDefaults defaults, int headCount)
    {
        var kvHeadCount = config.PositiveInt("num_key_value_heads") ?? defaults.KvHeadCount ?? headCount;
        return headCount % kvHeadCount == 0
            ? kvHeadCount
            : throw new ModelLoadException(
                $"{config.Path}: \"num_key_value_heads\" is {kvHeadCount}; supported: a divisor of \"num_attention_heads\" ({headCount})."
            );
    }

    private static int ReadHeadDim(JsonSettings config, FamilyDefaults defaults, int headCount)
    {
        var hiddenSize = config.RequiredPositiveInt("hidden_size");
        var explicitly = config.PositiveInt("head_dim") ?? defaults.HeadDim;
        if (explicitly is null && hiddenSize % headCount != 0)
        {
            throw new ModelLoadException(
                $"{config.Path}: \"hidden_size\" is {hiddenSize}; supported without \"head_dim\": a multiple of "
                    + $"\"num_attention_heads\" ({headCount})."
            );
        }

        var headDim = explicitly ?? hiddenSize / headCount;
        return headDim % 2 == 0
            ? headDim
            : throw new ModelLoadException(
                $"{config.Path}: the width of a head (\"head_dim\") is {headDim}; supported: an even number, for the rotary embedding."
            );
    }

    private static List<int> ReadEosTokenIds(JsonSettings config, string folder)
    {
        var generationPath = Path.Combine(folder, GenerationFileName);
        var generation = ModelFile.Exists(generationPath) ? JsonSettings.Load(generationPath) : null;
        return [.. config.TokenIds("eos_token_id").Union(generation?.TokenIds("eos_token_id") ?? [])];
    }
}
