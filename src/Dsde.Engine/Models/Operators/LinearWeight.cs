using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators;

/// <summary>A linear layer's weight, with its bias if it has one. Owns both.</summary>
/// <param name="Weight"><c>[out, in]</c></param>
/// <param name="Bias"><c>[out]</c>; null without one.</param>
internal sealed record LinearWeight(Tensor Weight, Tensor? Bias = null) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Weight.Dispose();
        Bias?.Dispose();
    }
}
