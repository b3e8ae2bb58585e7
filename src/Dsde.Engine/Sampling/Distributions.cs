using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>Draws from distributions.</summary>
internal static class Distributions
{
    /// <summary>Draws one token per row by inverting the distribution function; a token of weight 0 is never drawn.</summary>
    /// <param name="weights"><c>[n, V] f32</c>, not negative, not necessarily normalised.</param>
    /// <param name="uniforms"><c>[n] f32</c>, in (0, 1).</param>
    /// <returns><c>[n] i64</c></returns>
    public static Tensor Draw(Tensor weights, Tensor uniforms)
    {
        using var scope = NewDisposeScope();
        var cumulative = weights.cumsum(-1); // [n, V]
        var total = cumulative.narrow(1, weights.shape[1] - 1, 1); // [n, 1]

        // The first token up to which there is at least that mass. The product can round to the total, but not to nothing.
        var drawn = searchsorted(cumulative, total * uniforms.unsqueeze(1));
        return drawn.clamp_(Scalars.Of(0), Scalars.Of(weights.shape[1] - 1)).squeeze(1).MoveToOuterDisposeScope();
    }
}
