using Dsde.Engine.Models.Operators;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Weights;

/// <summary>
/// Weights of one decoder layer, those that read the same input fused. Legend: H hidden, I intermediate, h heads, g kv heads, d head dim.
/// </summary>
/// <param name="InputNorm">Before attention. <c>[H]</c></param>
/// <param name="Qkv">Query, key and value projections, stacked. <c>[(h + 2g)·d, H]</c></param>
/// <param name="Output"><c>[H, h·d]</c></param>
/// <param name="MlpNorm">Before the MLP. <c>[H]</c></param>
/// <param name="GateUp">Gate and up projections, stacked. <c>[2·I, H]</c></param>
/// <param name="Down"><c>[H, I]</c></param>
/// <param name="Device">Where they are.</param>
internal sealed record LayerWeights(
    Tensor InputNorm,
    LinearWeight Qkv,
    LinearWeight Output,
    Tensor MlpNorm,
    LinearWeight GateUp,
    LinearWeight Down,
    Device Device
) : IDisposable
{
    /// <summary>Of each query head. <c>[d]</c>; null without one.</summary>
    public Tensor? QueryNorm { get; init; }

    /// <summary>Of each key head. <c>[d]</c>; null without one.</summary>
    public Tensor? KeyNorm { get; init; }

    /// <summary>On what attention adds. <c>[H]</c>; null without one.</summary>
    public Tensor? AttentionOutputNorm { get; init; }

    /// <summary>On what the MLP adds. <c>[H]</c>; null without one.</summary>
    public Tensor? MlpOutputNorm { get; init; }

    /// <summary>All of them.</summary>
    public IEnumerable<Tensor> Tensors =>
        new[] { InputNorm, MlpNorm, QueryNorm, KeyNorm, AttentionOutputNorm, MlpOutputNorm }
            .OfType<Tensor>()
            .Concat(Linears.SelectMany(linear => linear.Tensors));

    /// <summary>Its linear layers, in the order in which they are passed.</summary>
    public IReadOnlyList<LinearWeight> Linears => [Qkv, Output, GateUp, Down];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors)
        {
            tensor.Dispose();
        }
    }
}
