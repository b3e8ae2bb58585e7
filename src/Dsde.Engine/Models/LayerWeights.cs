using Dsde.Engine.Models.Operators;
using static TorchSharp.torch;

namespace Dsde.Engine.Models;

/// <summary>Weights of one decoder layer, those that read the same input fused. Legend: H hidden, I intermediate, h heads, g kv heads, d head dim.</summary>
/// <param name="InputNorm"><c>[H]</c></param>
/// <param name="Qkv">Query, key and value projections, stacked. <c>[(h + 2g)·d, H]</c></param>
/// <param name="Output"><c>[H, h·d]</c></param>
/// <param name="PostNorm"><c>[H]</c></param>
/// <param name="GateUp">Gate and up projections, stacked. <c>[2·I, H]</c></param>
/// <param name="Down"><c>[H, I]</c></param>
internal sealed record LayerWeights(Tensor InputNorm, LinearWeight Qkv, LinearWeight Output, Tensor PostNorm, LinearWeight GateUp, LinearWeight Down) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var weight in (IDisposable[])[InputNorm, Qkv, Output, PostNorm, GateUp, Down])
        {
            weight.Dispose();
        }
    }
}
