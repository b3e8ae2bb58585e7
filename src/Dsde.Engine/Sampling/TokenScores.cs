using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>
/// From raw logits to what tokens are chosen by. Target and draft go through the same functions, so that both see the same penalties, truncation and
/// noise.
/// </summary>
/// <param name="Scores">
/// Logits after penalties, bias, temperature and truncation, −∞ where a token is ruled out: their softmax is the distribution that is sampled
/// (p', q'). <c>[n, V] f32</c>
/// </param>
/// <param name="Perturbed">The same plus coupled mode's noise; the very same tensor if no row is coupled. <c>[n, V] f32</c></param>
/// <param name="Best">
/// The token with the largest perturbed score: the most probable one in greedy and rejection rows, the sample itself in coupled ones. <c>[n] i64</c>
/// </param>
internal readonly record struct TokenScores(Tensor Scores, Tensor Perturbed, Tensor Best)
{
    /// <summary>Computes scores, in the caller's scope.</summary>
    /// <param name="logits">Raw. <c>[n, V] f32</c></param>
    /// <param name="rows">Of the same n rows.</param>
    public static TokenScores Compute(Tensor logits, in RowSampling rows)
    {
        var scores = rows.Parameters.LeaveLogitsAlone ? logits : Process(logits, rows);
        var perturbed = rows.Noise is null ? scores : scores + rows.Noise;
        return new TokenScores(scores, perturbed, perturbed.argmax(-1));
    }

    /// <summary>The distribution that is sampled. <c>[n, V] f32</c>, rows sum to 1.</summary>
    public Tensor Distribution() => Scores.softmax(-1);

    private static Tensor Process(Tensor logits, in RowSampling rows)
    {
        using var scope = NewDisposeScope();
        var parameters = rows.Parameters;
        var scores = logits;
        if (parameters.ChangeLogits)
        {
            scores = Penalties.Apply(scores, parameters, rows.History);
        }

        if (parameters.InverseTemperature is { } inverse)
        {
            scores = scores * inverse;
        }

        if (parameters.Truncate)
        {
            scores = Truncation.Apply(scores, parameters);
        }

        return scores.MoveToOuterDisposeScope();
    }
}
