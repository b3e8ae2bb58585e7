using Dsde.Engine.Models.Operators;
using Dsde.Engine.Models.Weights;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Benchmarking;

/// <summary>
/// The linear layers of a decoder and nothing else, in their order and with what is fused into them: the floor of a forward pass.
/// </summary>
internal sealed class LinearLayers(DecoderWeights weights, IDecoderOps ops)
{
    /// <summary>Bytes of the weights.</summary>
    public long WeightBytes { get; } =
        weights
            .Layers.SelectMany(layer => (LinearWeight[])[layer.Qkv, layer.Output, layer.GateUp, layer.Down])
            .Append(weights.LanguageHead)
            .Sum(weight => weight.Weight.NumberOfElements * weight.Weight.ElementSize);

    /// <summary>Runs them all once on some rows.</summary>
    public void Run(int rowCount)
    {
        using var scope = NewDisposeScope();
        var first = weights.Layers[0];
        var hidden = Rows(first.Qkv); // [R, H]
        var attended = Rows(first.Output); // [R, h·d]
        foreach (var layer in weights.Layers)
        {
            using var layerScope = NewDisposeScope();
            ops.Linear(hidden, layer.Qkv);
            var afterAttention = ops.LinearAdd(attended, layer.Output, hidden);
            var gated = ops.GatedLinear(afterAttention, layer.GateUp, GateActivation.Silu);
            ops.LinearAdd(gated, layer.Down, afterAttention);
        }

        ops.Logits(hidden, weights.LanguageHead);
        if (weights.Device.type == DeviceType.CUDA)
        {
            cuda.synchronize();
        }

        Tensor Rows(LinearWeight weight) =>
            full([rowCount, weight.Weight.shape[1]], Scalars.Of(0.01), dtype: weights.Type, device: weights.Device);
    }
}
