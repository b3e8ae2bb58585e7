using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>
/// Repetition, frequency and presence penalties, then bias: in this order, so that a bias is added as it stands. Each row sees the tokens
/// before it, assumed ones included.
/// </summary>
internal static class Penalties
{
    /// <summary>Logits as penalised, in the caller's scope. <c>[n, V] f32</c></summary>
    /// <param name="logits">Raw; left as they are. <c>[n, V] f32</c></param>
    /// <param name="parameters">Of the same rows, with a penalty or a bias among them.</param>
    /// <param name="history">Tokens before each row.</param>
    public static Tensor Apply(Tensor logits, SamplingRows parameters, HistoryRows history)
    {
        using var scope = NewDisposeScope();
        var scores = logits;
        if (parameters.RepetitionPenalty is { } repetition && history.Context is { } context)
        {
            scores = where(context.gt(Scalars.Of(0)), where(scores.gt(Scalars.Of(0)), scores / repetition, scores * repetition), scores);
        }

        if (parameters.FrequencyPenalty is { } frequency && history.Output is { } occurrences)
        {
            scores = scores - (occurrences * frequency);
        }

        if (parameters.PresencePenalty is { } presence && history.Output is { } output)
        {
            scores = scores - (output.gt(Scalars.Of(0)).to(ScalarType.Float32) * presence);
        }

        if (parameters.Bias is { } bias)
        {
            scores = scores.Plus(bias);
        }

        return scores.MoveToOuterDisposeScope();
    }
}
