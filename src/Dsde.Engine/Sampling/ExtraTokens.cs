using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>
/// The target's own token at each verified row: <em>recovered</em> where the row's proposal is rejected, <em>bonus</em> behind the last one.
/// </summary>
internal static class ExtraTokens
{
    /// <summary>Draws from the target's distribution, for rows without a proposal. Result <c>[n] i64</c>.</summary>
    /// <param name="logits"><c>[n, V] f32</c></param>
    /// <param name="parameters">Of the n rows.</param>
    /// <param name="uniforms"><c>[n] f32</c></param>
    public static Tensor WithoutProposals(Tensor logits, SamplingRows parameters, Tensor uniforms)
    {
        return parameters.AllGreedy ? logits.argmax(-1) : Distributions.Draw(Distributions.Process(logits, parameters), uniforms);
    }
}
