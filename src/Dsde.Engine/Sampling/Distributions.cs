using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>
/// From logits to the distribution that tokens are drawn from, and draws from it. Target and draft go through the same functions, and a draft's
/// q is the very tensor its token was drawn from: the ratio test is only right for that.
/// </summary>
internal static class Distributions
{
    /// <summary>
    /// Temperature, then top-k, then top-p over what top-k left. A greedy row becomes certain of its most probable token, which makes the ratio
    /// test the greedy rule.
    /// </summary>
    /// <param name="logits"><c>[n, V] f32</c></param>
    /// <param name="parameters">Of the same n rows; not all greedy.</param>
    /// <returns><c>[n, V] f32</c>, rows sum to 1.</returns>
    public static Tensor Process(Tensor logits, SamplingRows parameters)
    {
        using var scope = NewDisposeScope();
        var probabilities = (logits * parameters.InverseTemperature!).softmax(-1);
        if (parameters.TopK is not null || parameters.TopP is not null)
        {
            probabilities = Truncate(probabilities, parameters);
        }

        if (parameters.Greedy is { } greedy)
        {
            var best = logits.argmax(-1, keepdim: true); // [n, 1]
            var certain = zeros_like(probabilities).scatter_(1, best, ones_like(best, ScalarType.Float32));
            probabilities = where(greedy, certain, probabilities);
        }

        return probabilities.MoveToOuterDisposeScope();
    }

    /// <summary>Draws one token per row by inverting the distribution function; a token of weight 0 is never drawn.</summary>
    /// <param name="weights"><c>[n, V] f32</c>, not negative, not necessarily normalised.</param>
    /// <param name="uniforms"><c>[n] f32</c>, in (0, 1).</param>
    /// <returns><c>[n] i64</c></returns>
    public static Tensor Draw(Tensor weights, Tensor uniforms)
    {
        using var scope = NewDisposeScope();
        var cumulative = weights.cumsum(-1); // [n, V]
        var total = cumulative.narrow(1, weights.shape[1] - 1, 1); // [n, 1]
        var drawn = searchsorted(cumulative, total * uniforms.unsqueeze(1), right: true);
        return drawn.clamp_(0, weights.shape[1] - 1).squeeze(1).MoveToOuterDisposeScope();
    }

    private static Tensor Truncate(Tensor probabilities, SamplingRows parameters)
    {
        var (sorted, order) = probabilities.sort(-1, descending: true); // [n, V]
        if (parameters.TopK is { } topK)
        {
            var rank = arange(sorted.shape[1], dtype: ScalarType.Int64, device: sorted.device);
            sorted = sorted.masked_fill(rank >= topK, 0f);
        }

        if (parameters.TopP is { } topP)
        {
            // A token stays if the mass before it is still short of top-p, so that the one that reaches it is kept.
            sorted = sorted / sorted.sum(-1, keepdim: true);
            sorted = sorted.masked_fill(sorted.cumsum(-1) - sorted >= topP, 0f);
        }

        return zeros_like(probabilities).scatter_(1, order, sorted / sorted.sum(-1, keepdim: true));
    }
}
