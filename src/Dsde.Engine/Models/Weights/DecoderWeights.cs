using Dsde.Engine.Models.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Weights;

/// <summary>
/// All weights of a model in one type, the layers on one device or spread over several. Norms that are stored as their distance from 1 are
/// kept as fp32, in which 1 + w is exact enough. Legend as in <see cref="LayerWeights"/>; V vocabulary.
/// </summary>
internal sealed class DecoderWeights : IDisposable
{
    private DecoderWeights(
        LinearWeight embedding,
        IReadOnlyList<LayerWeights> layers,
        Tensor finalNorm,
        LinearWeight languageHead,
        ScalarType type,
        Device device
    )
    {
        Embedding = embedding;
        Layers = layers;
        FinalNorm = finalNorm;
        LanguageHead = languageHead;
        (Type, Device) = (type, device);
    }

    /// <summary>On the first device. <c>[V, H]</c></summary>
    public LinearWeight Embedding { get; }

    /// <summary>The layers, from the embedding up.</summary>
    public IReadOnlyList<LayerWeights> Layers { get; }

    /// <summary>On the last layer's device. <c>[H]</c></summary>
    public Tensor FinalNorm { get; }

    /// <summary>
    /// On the last layer's device. <c>[V, H]</c>, without padding rows; the embedding's memory where the two are tied and on one device.
    /// </summary>
    public LinearWeight LanguageHead { get; }

    /// <summary>Type of weights and activations.</summary>
    public ScalarType Type { get; }

    /// <summary>Where rows begin.</summary>
    public Device Device { get; }

    /// <summary>Reads the weights of a folder.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="type">Type of weights and activations.</param>
    /// <param name="placement">Where the layers go.</param>
    /// <param name="ops">What will compute with them, and so decides their form.</param>
    /// <param name="outputCount">Rows of the output projection to use, from the first: those behind only pad it.</param>
    /// <exception cref="ModelLoadException">
    /// A weight is missing, has another shape than the configuration says, or is there although the configuration knows no such weight.
    /// </exception>
    public static DecoderWeights Load(ModelFolder folder, ScalarType type, LayerPlacement placement, IDecoderOps ops, int outputCount)
    {
        DecoderShapes.RequireIn(folder);
        using var scope = NewDisposeScope();
        using var files = new MappedWeights(folder, type);
        var config = folder.Config;
        var (first, last) = (placement.First, placement.Last);
        var embeddingName = DecoderShapes.Embedding(config).Name;
        var embedding = ops.Load(new StoredLinear(files.View(embeddingName)), type, first);
        var layers = placement.Layers.Select((device, layer) => new LayerReader(files, ops, config, device, layer).Read()).ToList();
        var finalNorm = files.ReadNorm(DecoderShapes.FinalNorm(config), last, config.NormsAreOffsets);
        var storedHead = StoredHead(folder, files, embeddingName);
        var head =
            storedHead is null && first == last
                ? embedding.First(outputCount)
                : ops.Load(new StoredLinear(files.View(storedHead ?? embeddingName).narrow(0, 0, outputCount)), type, last);
        files.CompareFrequencies(RotaryTable.Frequencies(config.HeadDim, config.RopeTheta, config.RopeScaling));
        foreach (var tensor in layers.SelectMany(layer => layer.Tensors).Concat([finalNorm, .. embedding.Tensors, .. head.Tensors]))
        {
            tensor.DetachFromDisposeScope();
        }

        return new DecoderWeights(embedding, layers, finalNorm, head, type, first);
    }

    /// <summary>
    /// Name of the output projection; null where that is the embedding. One that the folder stores is used even if config.json calls them
    /// tied, because somebody trained it.
    /// </summary>
    private static string? StoredHead(ModelFolder folder, MappedWeights files, string embeddingName)
    {
        if (folder.Config.TieWordEmbeddings)
        {
            if (!folder.StoresHead || files.AreSame(embeddingName, ModelFolder.HeadName))
            {
                return null;
            }

            folder.Warn(
                $"{folder.Path}: config.json says \"tie_word_embeddings\", but {ModelFolder.HeadName} is stored and differs from "
                    + $"{embeddingName}. What is stored is used; if that is wrong, remove it from the weights."
            );
        }

        return ModelFolder.HeadName;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in Layers)
        {
            layer.Dispose();
        }

        Embedding.Dispose();
        FinalNorm.Dispose();
        LanguageHead.Dispose();
    }
}
