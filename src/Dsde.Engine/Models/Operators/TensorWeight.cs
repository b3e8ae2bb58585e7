using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators;

/// <summary>A weight as torch multiplies it. Owns its tensors.</summary>
/// <param name="weight"><c>[out, in]</c></param>
/// <param name="bias"><c>[out]</c>; null without one.</param>
internal sealed class TensorWeight(Tensor weight, Tensor? bias = null) : LinearWeight
{
    /// <summary><c>[out, in]</c></summary>
    public Tensor Weight { get; } = weight;

    /// <summary><c>[out]</c>; null without one.</summary>
    public Tensor? Bias { get; } = bias;

    /// <inheritdoc/>
    public override int OutputCount => (int)Weight.size(0);

    /// <inheritdoc/>
    public override int InputCount => (int)Weight.size(1);

    /// <inheritdoc/>
    public override long ByteCount => Weight.NumberOfElements * Weight.ElementSize;

    /// <inheritdoc/>
    public override IEnumerable<Tensor> Tensors => Bias is null ? [Weight] : [Weight, Bias];

    /// <inheritdoc/>
    public override LinearWeight First(int outputCount) =>
        new TensorWeight(Weight.narrow(0, 0, outputCount), Bias?.narrow(0, 0, outputCount));
}
