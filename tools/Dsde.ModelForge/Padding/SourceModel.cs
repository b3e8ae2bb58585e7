using System.Text.Json.Nodes;
using Dsde.ModelForge.Folders;

namespace Dsde.ModelForge.Padding;

/// <summary>What is known of a model that is to be padded.</summary>
/// <param name="Config">Content of config.json.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="VocabularySize">Rows of the embedding.</param>
/// <param name="IsTied">Whether the output projection is the embedding.</param>
internal sealed record SourceModel(JsonObject Config, DecoderShape Shape, int VocabularySize, bool IsTied)
{
    /// <summary>Matrices with a row per token.</summary>
    public int EmbeddingCount => IsTied ? 1 : 2;

    /// <summary>
    /// Reads config.json of a folder, and says in it whether the output projection is the embedding, as the engine sees it.
    /// </summary>
    /// <exception cref="PaddingException">It is missing, or the model is not one that can be padded.</exception>
    public static SourceModel Read(string folder)
    {
        var path = Path.Combine(folder, HuggingFaceFolder.ConfigName);
        var config =
            File.Exists(path) && JsonNode.Parse(File.ReadAllText(path)) is JsonObject json
                ? json
                : throw new PaddingException($"{path} is missing. Give a Hugging Face model folder.");
        var shape = DecoderShape.Read(config, path);
        using var weights = new SourceWeights(folder);
        var isTied = (config["tie_word_embeddings"]?.GetValue<bool>() ?? false) && !weights.HasOwnHead;
        config["tie_word_embeddings"] = isTied;
        return new SourceModel(
            config,
            shape,
            config["vocab_size"]?.GetValue<int>() ?? throw new PaddingException($"{path} has no \"vocab_size\"."),
            isTied
        );
    }
}
