using Dsde.Engine.Cpu.Memory;
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
/// that is sampled (p', q'). The raw logits where no row draws from it and nothing but a grammar rules anything out. <c>[n, V] f32</c>
/// </param>
/// <param name="Noise">Coupled mode's noise, 0 in other rows; null if no row is coupled. <c>[n, V] f32</c></param>
/// <param name="Best">
/// The token with the largest perturbed score: the most probable one in greedy and rejection rows, the sample itself in coupled ones.
/// <c>[n] i64</c>
/// </param>
/// <param name="Margins">Distance between the two best perturbed scores, where finding the best one gave it away; else null. <c>[n]
/// f32</c></param>
internal readonly record struct TokenScores(Tensor Scores, Tensor? Noise, Tensor Best, Tensor? Margins)
{
    /// <summary>Computes scores, in the caller's scope.</summary>
    /// <param name="logits">Raw. <c>[n, V] f32</c></param>
    /// <param name="rows">Of the same n rows.</param>
    public static TokenScores Compute(Tensor logits, in RowSampling rows)
    {
        if (
            rows is { Allowed: { } sets, Parameters: { LeaveLogitsAlone: true, AnyRejection: false } }
            && logits.device_type == DeviceType.CPU
        )
        {
            // Nothing but the best token is asked for: no need to write out what is ruled out.
            var found = AllowedTokens.FindBest(logits, rows.Noise, sets);
            return new TokenScores(logits, rows.Noise, found.Best, found.Margins);
        }

        var allowed = rows.Allowed is null ? logits : AllowedTokens.Apply(logits, rows.Allowed);
        var scores = rows.Parameters.LeaveLogitsAlone ? allowed : Process(allowed, rows);
        if (scores.device_type == DeviceType.CPU)
        {
            var (best, margins) = FindBestOnCpu(scores, rows.Noise);
            return new TokenScores(scores, rows.Noise, best, margins);
        }

        return new TokenScores(scores, rows.Noise, FindBest(scores, rows.Noise), null);
    }

    /// <summary>The token with the largest score after adding noise, in device operations. <c>[n] i64</c></summary>
    internal static Tensor FindBest(Tensor scores, Tensor? noise)
    {
        using var scope = NewDisposeScope();
        return (noise is null ? scores : scores.Plus(noise)).argmax(-1).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Scores after adding noise, in the caller's scope; <see cref="Scores"/> itself if no row is coupled. <c>[n, V] f32</c>
    /// </summary>
    public Tensor Perturb() => Noise is null ? Scores : Scores.Plus(Noise);

    /// <summary>
    /// Distance between the two best perturbed scores per row, at most <see cref="TokenMeasures.LargestMargin"/>: how near another choice
    /// was in greedy and coupled rows. <c>[n] f32</c>
    /// </summary>
    public Tensor Margin() => Margins ?? TokenMeasures.Margin(Perturb());

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

    private static unsafe (Tensor Best, Tensor Margins) FindBestOnCpu(Tensor scores, Tensor? noise)
    {
        using var rows = new ContiguousTensor(scores);
        using var noiseRows = noise is null ? default : new ContiguousTensor(noise);
        var (count, length) = ((int)scores.shape[0], (int)scores.shape[1]);
        var (best, margins) = (empty([count], ScalarType.Int64), empty([count], ScalarType.Float32));
        var ids = (long*)NativeTensor.Address(best);
        var distances = (float*)NativeTensor.Address(margins);
        for (var row = 0; row < count; row++)
        {
            var first = (long)row * length;
            ids[row] = LogitKernel.FindBest(
                rows.Address<float>() + first,
                noise is null ? null : noiseRows.Address<float>() + first,
                length,
                out var margin
            );
            distances[row] = Math.Min(margin, TokenMeasures.LargestMargin);
        }

        return (best, margins);
    }
}
