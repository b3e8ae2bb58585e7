using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>
/// From raw logits to what tokens are chosen by. Target and draft go through the same functions, so that both see the same penalties,
/// truncation and noise.
/// </summary>
/// <param name="Scores">
/// Logits after grammars, penalties, bias, temperature and truncation, −∞ where a token is ruled out: their softmax is the distribution
/// that is sampled (p', q'). The raw logits where no row draws from it, and none has penalties, a bias or a truncation, on a CPU.
/// <c>[n, V] f32</c>
/// </param>
/// <param name="Noise">Coupled mode's noise; null if no row is coupled.</param>
/// <param name="Best">
/// The token with the largest perturbed score: the most probable one in greedy and rejection rows, the sample itself in coupled ones.
/// <c>[n] i64</c>
/// </param>
/// <param name="Margins">Distance between the two best perturbed scores, where finding the best one gave it away; else null. <c>[n]
/// f32</c></param>
internal readonly record struct TokenScores(Tensor Scores, RowNoise? Noise, Tensor Best, Tensor? Margins)
{
    /// <summary>Computes scores, in the caller's scope.</summary>
    /// <param name="logits">Raw. <c>[n, V] f32</c></param>
    /// <param name="rows">Of the same n rows.</param>
    public static TokenScores Compute(Tensor logits, in RowSampling rows)
    {
        if (logits.device_type == DeviceType.CPU && rows.Parameters is { AnyRejection: false, ChangeLogits: false, Truncate: false })
        {
            // Nothing but the best token is asked for: no need to write out what is ruled out or scaled.
            var found = BestTokens.Find(logits, rows.Noise, rows.Allowed, rows.Parameters);
            return new TokenScores(logits, rows.Noise, found.Best, found.Margins);
        }

        var allowed = rows.Allowed is null ? logits : AllowedTokens.Apply(logits, rows.Allowed);
        var scores = rows.Parameters.LeaveLogitsAlone ? allowed : Process(allowed, rows);
        if (scores.device_type == DeviceType.CPU)
        {
            var (best, margins) = BestTokens.Find(scores, rows.Noise);
            return new TokenScores(scores, rows.Noise, best, margins);
        }

        return new TokenScores(scores, rows.Noise, FindBest(scores, rows.Noise?.Values), null);
    }

    /// <summary>The token with the largest score after adding noise, in device operations. <c>[n] i64</c></summary>
    internal static Tensor FindBest(Tensor scores, Tensor? noise)
    {
        using var scope = NewDisposeScope();
        return (noise is null ? scores : scores.Plus(noise)).argmax(-1).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Distance between the two best perturbed scores per row, at most <see cref="TokenMeasures.LargestMargin"/>: how near another choice
    /// was in greedy and coupled rows. <c>[n] f32</c>
    /// </summary>
    public Tensor Margin() => Margins ?? TokenMeasures.Margin(Noise?.Values is { } noise ? Scores.Plus(noise) : Scores);

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

        if (parameters.InverseTemperature is { } inverse && parameters.IsScaled is { } scaled)
        {
            // Scaled from the best score on: what small temperatures make large are distances of tokens that nobody will draw.
            scores = (scores - (scores.amax([-1], keepdim: true) * scaled)) * inverse;
        }

        if (parameters.Truncate)
        {
            scores = Truncation.Apply(scores, parameters);
        }

        return scores.MoveToOuterDisposeScope();
    }
}
