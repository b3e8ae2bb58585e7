using System.Text.Json;
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

    /// <summary>Name of the file that says how to generate.</summary>
    public const string GenerationFileName = "generation_config.json";

    public static ModelConfig Read(string folder)
    {
        var config = JsonSettings.Load(Path.Combine(folder, FileName));
        var family = ModelFamilies.Find(config);
        RefuseQuantized(config);
        return family.Complete(config, ReadCommon(config, family, folder));
    }

    private static ModelConfig ReadCommon(JsonSettings config, IModelFamily family, string folder)
    {
        var defaults = family.Defaults;
        var hiddenSize = config.PositiveInt("hidden_size") ?? defaults.HiddenSize;
        var headCount = config.PositiveInt("num_attention_heads") ?? defaults.HeadCount;
        var layerCount = ReadLayerCount(config, defaults);
        var headDim = ReadHeadDim(config, defaults, hiddenSize, headCount);
        var kvHeadCount = ReadKvHeadCount(config, defaults, headCount);
        RefuseAbsurdKeys(config, kvHeadCount, headDim);
        var (ropeTheta, ropeScaling) = RopeSettings.Read(config, defaults.RopeTheta);
        return new ModelConfig
        {
            Family = family.Name,
            HiddenSize = hiddenSize,
            LayerCount = layerCount,
            HeadCount = headCount,
            KvHeadCount = kvHeadCount,
            HeadDim = headDim,
            IntermediateSize = config.PositiveInt("intermediate_size") ?? defaults.IntermediateSize,
            VocabularySize = config.PositiveInt("vocab_size") ?? defaults.VocabularySize,
            RmsNormEps = config.NumberFromZero("rms_norm_eps") ?? defaults.RmsNormEps,
            RopeTheta = ropeTheta,
            RopeScaling = ropeScaling,
            ContextLength = ReadContextLength(config, defaults),
            TieWordEmbeddings = config.Bool("tie_word_embeddings", defaults.TieWordEmbeddings),
            AttentionScale = 1 / Math.Sqrt(headDim),
            SlidingWindows = new int?[layerCount],
            EosTokenIds = ReadEosTokenIds(config, folder),
        };
    }

    /// <summary>Lists are as long as this, so that it is bounded before they are made.</summary>
    private static int ReadLayerCount(JsonSettings config, FamilyDefaults defaults)
    {
        const int most = 1 << 14;
        var count = config.PositiveInt("num_hidden_layers") ?? defaults.LayerCount;
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

    /// <summary>Of two names: that of today, and the one that compressed-tensors wrote before.</summary>
    private static void RefuseQuantized(JsonSettings config)
    {
        foreach (var key in (string[])["quantization_config", "compression_config"])
        {
            if (config.Find(key) is { } quantization)
            {
                throw config.Section(key) is { } section && MethodOf(section) is { } method
                    ? new ModelLoadException(
                        $"{config.Path}: \"{key}\" says that the weights are quantized by {method}; supported: bf16, fp16 and fp32. "
                            + "Use the model's unquantized folder."
                    )
                    : config.Unsupported(key, quantization, "none (weights in bf16, fp16 or fp32)");
            }
        }

        static string? MethodOf(JsonSettings section) => NameIn(section.Find("quant_method")) ?? NameIn(section.Find("format"));

        static string? NameIn(JsonElement? value) => value is { ValueKind: JsonValueKind.String } name ? name.GetString() : null;
    }

    private static int ReadKvHeadCount(JsonSettings config, FamilyDefaults defaults, int headCount)
    {
        var kvHeadCount = config.IntOrDerived("num_key_value_heads", defaults.KvHeadCount) ?? headCount;
        return headCount % kvHeadCount == 0
            ? kvHeadCount
            : throw new ModelLoadException(
                $"{config.Path}: \"num_key_value_heads\" is {kvHeadCount}; supported: a divisor of \"num_attention_heads\" ({headCount})."
            );
    }

    private static int ReadHeadDim(JsonSettings config, FamilyDefaults defaults, int hiddenSize, int headCount)
    {
        var explicitly = config.IntOrDerived("head_dim", defaults.HeadDim);
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
