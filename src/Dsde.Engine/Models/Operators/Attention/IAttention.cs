using Dsde.Engine.Models.Passes;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators.Attention;

/// <summary>
/// How rows attend to the cache, once their keys and values are in it. Legend as in <see cref="PassRows"/> and
/// <see cref="AttentionShape"/>.
/// </summary>
internal interface IAttention
{
    /// <summary>Attends: each row to the positions of its slot up to its own, as far as the shape's window reaches.</summary>
    /// <param name="query">Normalised and rotated. <c>[R, h, d]</c></param>
    /// <param name="shape">How the layer attends.</param>
    /// <param name="rows">The pass.</param>
    /// <param name="keys">The layer's cache. <c>[places, g, d]</c></param>
    /// <param name="values">The layer's cache; shape as <paramref name="keys"/>.</param>
    /// <returns><c>[R, h·d]</c>, in the caller's scope.</returns>
    Tensor Attend(Tensor query, AttentionShape shape, PassRows rows, Tensor keys, Tensor values);
}
