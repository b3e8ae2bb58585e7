using Dsde.Engine.Models.Operators;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Weights;

/// <summary>Reads one layer onto one device.</summary>
internal sealed class LayerReader(MappedWeights files, IDecoderOps ops, ModelConfig config, Device device, int layer)
{
    /// <summary>The layer, in the caller's scope.</summary>
    public LayerWeights Read()
    {
        var stored = new LayerShapes(config, layer);
        return new LayerWeights(
            Read(stored.InputNorm),
            Read(stored.Qkv),
            Read(stored.Output),
            Read(stored.MlpNorm),
            Read(stored.GateUp),
            Read(stored.Down),
            device
        )
        {
            QueryNorm = stored.QueryNorm is { } query ? Read(query) : null,
            KeyNorm = stored.KeyNorm is { } key ? Read(key) : null,
            AttentionOutputNorm = stored.AttentionOutputNorm is { } attention ? Read(attention) : null,
            MlpOutputNorm = stored.MlpOutputNorm is { } mlp ? Read(mlp) : null,
        };
    }

    private Tensor Read(WeightShape norm) => files.ReadNorm(norm, device, config.NormsAreOffsets);

    /// <summary>Layers that read the same input, one below the other.</summary>
    private LinearWeight Read(StackShapes stack)
    {
        using var scope = NewDisposeScope();
        var stored = new StoredLinear([.. stack.Weights.Select(files.View)], [.. stack.Biases.Select(files.View)], stack.IsGated);
        var weight = ops.Load(stored, files.Type, device);
        foreach (var tensor in weight.Tensors)
        {
            tensor.MoveToOuterDisposeScope();
        }

        return weight;
    }
}
