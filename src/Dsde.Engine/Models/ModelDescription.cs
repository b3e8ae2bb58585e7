namespace Dsde.Engine.Models;

/// <summary>What a model folder holds, as the engine reads it.</summary>
/// <param name="Name">The folder's name.</param>
/// <param name="ParameterCount">Numbers in all weights together.</param>
/// <param name="StoredType">Type of the stored weights as PyTorch names it; null where the folder does not say.</param>
/// <param name="LayerCount">Decoder layers.</param>
/// <param name="HiddenSize">Width of the residual stream.</param>
/// <param name="HeadCount">Query heads.</param>
/// <param name="KvHeadCount">Key and value heads.</param>
/// <param name="HeadDim">Width of one head.</param>
/// <param name="IntermediateSize">Width of the gated MLP.</param>
/// <param name="VocabularySize">Rows of the embedding.</param>
/// <param name="HasTiedEmbeddings">Whether the output projection is the embedding.</param>
/// <param name="ContextLength">Most tokens of prompt and output together.</param>
/// <param name="EosTokenIds">Tokens that end the output.</param>
public sealed record ModelDescription(
    string Name,
    long ParameterCount,
    string? StoredType,
    int LayerCount,
    int HiddenSize,
    int HeadCount,
    int KvHeadCount,
    int HeadDim,
    int IntermediateSize,
    int VocabularySize,
    bool HasTiedEmbeddings,
    int ContextLength,
    IReadOnlyList<int> EosTokenIds)
{
    /// <summary>Reads configuration and weight headers of a folder; no weights.</summary>
    /// <exception cref="ModelLoadException">Something is missing, broken or not supported.</exception>
    public static ModelDescription Read(string path)
    {
        var folder = ModelFolder.Open(path);
        var config = folder.Config;
        return new ModelDescription(
            folder.Name,
            folder.WeightNames.Sum(name => folder.Find(name).Entry.Shape.Aggregate(1L, (count, length) => count * length)),
            config.TorchDtype,
            config.LayerCount,
            config.HiddenSize,
            config.HeadCount,
            config.KvHeadCount,
            config.HeadDim,
            config.IntermediateSize,
            config.VocabularySize,
            config.TieWordEmbeddings,
            config.ContextLength,
            config.EosTokenIds);
    }
}
