using System.Globalization;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Weights;
using Dsde.Engine.Tokenization;

namespace Dsde.Engine.Loading;

/// <summary>What a model folder holds, as the engine reads it.</summary>
public sealed record ModelDescription
{
    /// <summary>The folder's name.</summary>
    public required string Name { get; init; }

    /// <summary>Name of the model family.</summary>
    public required string Family { get; init; }

    /// <summary>Numbers in all weights together.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Types of the stored weights as safetensors names them, the most frequent first.</summary>
    public required IReadOnlyList<string> StoredTypes { get; init; }

    /// <summary>Bytes of the weight files' tensors.</summary>
    public required long StoredBytes { get; init; }

    /// <summary>Decoder layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Query heads.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Key and value heads.</summary>
    public required int KvHeadCount { get; init; }

    /// <summary>Width of one head.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Width of the gated MLP.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Rows of the embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Whether the output projection is the embedding, and no other is stored.</summary>
    public required bool HasTiedEmbeddings { get; init; }

    /// <summary>Most tokens of prompt and output together.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Base of the rotary embedding, and how it is stretched, in words.</summary>
    public required string RotaryEmbedding { get; init; }

    /// <summary>Most recent positions that sliding layers see; null without sliding layers.</summary>
    public required int? SlidingWindow { get; init; }

    /// <summary>Layers that slide.</summary>
    public required int SlidingLayerCount { get; init; }

    /// <summary>Soft-cap of attention scores; null without one.</summary>
    public required double? AttentionSoftCap { get; init; }

    /// <summary>Soft-cap of logits; null without one.</summary>
    public required double? LogitSoftCap { get; init; }

    /// <summary>Further parts of the decoder that the model uses, in words.</summary>
    public required IReadOnlyList<string> Features { get; init; }

    /// <summary>Kind, size and chat template of the tokenizer, in words; null where the folder has none.</summary>
    public required string? Tokenizer { get; init; }

    /// <summary>Tokens that end the output.</summary>
    public required IReadOnlyList<int> EosTokenIds { get; init; }

    /// <summary>
    /// What is odd about the folder and can be worked with all the same, in sentences, as far as it shows without the weights.
    /// </summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Type and kernels that the engine chooses for it on this machine's processor, in words.</summary>
    public required string OnThisCpu { get; init; }

    /// <summary>What its makers recommend for requests that leave it open.</summary>
    public required GenerationDefaults Defaults { get; init; }

    /// <summary>Bytes of the weights in memory, at so many bytes per number.</summary>
    public long WeightBytes(int elementSize) => ParameterCount * elementSize;

    /// <summary>Bytes of keys and values per token of a sequence, at so many bytes per number.</summary>
    public long KvBytesPerToken(int elementSize) => 2L * LayerCount * KvHeadCount * HeadDim * elementSize;

    /// <summary>Reads configuration, weight headers and tokenizer of a folder; no weights.</summary>
    /// <exception cref="ModelLoadException">
    /// Something is missing, broken or not supported, or the weights' names, shapes and types are not those of the configuration.
    /// </exception>
    public static ModelDescription Read(string path)
    {
        var folder = ModelFolder.Open(path);
        DecoderShapes.RequireIn(folder);
        var config = folder.Config;
        var tokenizer = TokenizerReader.IsIn(path) ? ModelTokenizer.Load(folder) : null;
        var entries = folder.WeightNames.Select(name => folder.Find(name).Entry).ToList();
        return new ModelDescription
        {
            Name = folder.Name,
            Family = config.Family,
            ParameterCount = folder.ParameterCount,
            StoredTypes =
            [
                .. entries.CountBy(entry => entry.DataType).OrderByDescending(count => count.Value).Select(count => count.Key.ToString()),
            ],
            StoredBytes = entries.Sum(entry => entry.ByteLength),
            LayerCount = config.LayerCount,
            HiddenSize = config.HiddenSize,
            HeadCount = config.HeadCount,
            KvHeadCount = config.KvHeadCount,
            HeadDim = config.HeadDim,
            IntermediateSize = config.IntermediateSize,
            VocabularySize = config.VocabularySize,
            HasTiedEmbeddings = config.TieWordEmbeddings && !folder.StoresHead,
            ContextLength = config.ContextLength,
            RotaryEmbedding = DescribeRotary(config),
            SlidingWindow = config.SlidingWindows.FirstOrDefault(window => window is not null),
            SlidingLayerCount = config.SlidingWindows.Count(window => window is not null),
            AttentionSoftCap = config.AttentionSoftCap,
            LogitSoftCap = config.LogitSoftCap,
            Features = [.. DescribeFeatures(config)],
            Tokenizer = tokenizer?.Description,
            EosTokenIds = tokenizer?.EndTokenIds ?? config.EosTokenIds,
            Defaults = folder.ReadGenerationDefaults(),
            OnThisCpu = DescribeKernels(path),
            Warnings = folder.Warnings,
        };
    }

    private static string DescribeKernels(string path)
    {
        var compute = ComputeSettings.Choose(new EngineOptions { Target = path, Device = "cpu" });
        return $"{compute.TypeName}, by {compute.Kernels?.Description}";
    }

    private static string DescribeRotary(ModelConfig config)
    {
        var unscaled = string.Create(CultureInfo.InvariantCulture, $"base {config.RopeTheta}");
        return config.RopeScaling switch
        {
            null => unscaled,
            { Kind: RopeScalingKind.Llama3 } scaling => string.Create(
                CultureInfo.InvariantCulture,
                $"{unscaled}, llama3 scaling by {scaling.Factor} from {scaling.OriginalContextLength} tokens"
            ),
            var scaling => string.Create(CultureInfo.InvariantCulture, $"{unscaled}, linear scaling by {scaling.Factor}"),
        };
    }

    private static IEnumerable<string> DescribeFeatures(ModelConfig config)
    {
        if (config.HasQkvBias)
        {
            yield return config.HasOutputBias ? "attention biases" : "query, key and value biases";
        }

        if (config.HasMlpBias)
        {
            yield return "MLP biases";
        }

        if (config.HasQkNorm)
        {
            yield return "query and key norms";
        }

        if (config.HasOutputNorms)
        {
            yield return "norms before and after each block";
        }

        if (config.EmbeddingScale != 1)
        {
            yield return "scaled embeddings";
        }
    }
}
