using static TorchSharp.torch;

namespace Dsde.Engine.Models.Weights;

/// <summary>
/// Which device holds which layer. Layers of a device are adjacent; the embedding is with the first layer, final norm and output projection
/// with the last. Several devices work one after the other: the split is for models that one can't hold.
/// </summary>
internal sealed class LayerPlacement
{
    private LayerPlacement(IReadOnlyList<Device> layers) => Layers = layers;

    /// <summary>The device of each layer.</summary>
    public IReadOnlyList<Device> Layers { get; }

    /// <summary>Where rows begin.</summary>
    public Device First => Layers[0];

    /// <summary>Where logits are made.</summary>
    public Device Last => Layers[^1];

    /// <summary>Spreads the parameters as evenly as whole layers allow, in the order of the devices.</summary>
    /// <exception cref="ModelLoadException">There are more devices than layers.</exception>
    public static LayerPlacement Spread(ModelConfig config, IReadOnlyList<Device> devices)
    {
        if (devices.Count > config.LayerCount)
        {
            throw new ModelLoadException(
                $"The model has {config.LayerCount} layers, too few for {devices.Count} devices. Name fewer in "
                    + $"{EngineOptions.SectionName}:{nameof(EngineOptions.Device)}."
            );
        }

        var owners = Enumerable.Range(0, config.LayerCount).Select(layer => OwnerOf(layer, config, devices.Count)).ToArray();
        for (var owner = 0; owner < devices.Count; owner++)
        {
            // No device stays empty: at either end a large vocabulary can weigh more than a device's share.
            owners[owner] = Math.Min(owners[owner], owner);
            owners[^(owner + 1)] = Math.Max(owners[^(owner + 1)], devices.Count - 1 - owner);
        }

        return new LayerPlacement([.. owners.Select(owner => devices[owner])]);
    }

    /// <summary>The device in whose share the middle of the layer falls, all parameters laid out in a row.</summary>
    private static int OwnerOf(int layer, ModelConfig config, int deviceCount)
    {
        double hidden = config.HiddenSize,
            headsWidth = (2.0 * config.HeadCount) + (2.0 * config.KvHeadCount);
        var layerSize = hidden * ((headsWidth * config.HeadDim) + (3.0 * config.IntermediateSize));
        var vocabularySize = hidden * config.VocabularySize;
        var total = (layerSize * config.LayerCount) + (2 * vocabularySize);
        return (int)((vocabularySize + ((layer + 0.5) * layerSize)) * deviceCount / total);
    }
}
