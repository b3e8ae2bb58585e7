using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>What is recorded of each emitted token, from the target's raw logits.</summary>
internal static class TokenMeasures
{
    /// <summary>Log-probability of a token per row, nats, at temperature 1. <paramref name="tokenIds"/>: <c>[n] i64</c>; result <c>[n] f32</c>.</summary>
    public static Tensor LogProbability(Tensor logits, Tensor tokenIds)
    {
        using var scope = NewDisposeScope();
        return logits.gather(1, tokenIds.unsqueeze(1)).squeeze(1).sub_(logits.logsumexp(-1)).MoveToOuterDisposeScope();
    }

    /// <summary>Distance between the two best logits per row. <c>[n] f32</c></summary>
    public static Tensor Margin(Tensor logits)
    {
        using var scope = NewDisposeScope();
        var best = logits.topk(2, -1, true, true).values; // [n, 2]
        return best.select(1, 0).sub(best.select(1, 1)).MoveToOuterDisposeScope();
    }
}
