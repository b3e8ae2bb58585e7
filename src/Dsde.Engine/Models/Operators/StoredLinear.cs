using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators;

/// <summary>Linear layers that read the same input, one below the other, as a file has them.</summary>
/// <param name="Weights">In any type of float, all with equally long rows, on the CPU. <c>[out_i, in]</c></param>
/// <param name="Biases">One per weight, or none. <c>[out_i]</c></param>
/// <param name="IsGated">Whether the first half of the outputs gates the second.</param>
internal sealed record StoredLinear(IReadOnlyList<Tensor> Weights, IReadOnlyList<Tensor> Biases, bool IsGated = false)
{
    /// <summary>A single weight without a bias.</summary>
    public StoredLinear(Tensor weight)
        : this([weight], []) { }
}
