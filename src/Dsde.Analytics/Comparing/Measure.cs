using Dsde.Persistence.Jobs;

namespace Dsde.Analytics.Comparing;

/// <summary>
/// Something that two runs are compared by: a ratio of sums over outputs, so that long outputs count for more, as they do for the machine.
/// </summary>
/// <param name="Name">What it is.</param>
/// <param name="Unit">Its unit; empty for a bare number.</param>
/// <param name="Better">Whether more or less of it is better; null if neither is.</param>
/// <param name="NumeratorOf">An output's part in the upper sum; null if it has none.</param>
/// <param name="DenominatorOf">Its part in the lower sum.</param>
internal sealed record Measure(
    string Name,
    string Unit,
    Direction? Better,
    Func<TraceSummary, double?> NumeratorOf,
    Func<TraceSummary, double> DenominatorOf
)
{
    private const double ToPercent = 100;

    /// <summary>All of them; docs/analytics.md says what each means.</summary>
    public static readonly IReadOnlyList<Measure> All =
    [
        new("time per token", "ms", Direction.Less, trace => trace.TotalMs - trace.WaitingMs, trace => trace.CompletionTokens),
        new(
            "machine time per token",
            "ms",
            Direction.Less,
            trace => trace.PrefillShareMs + trace.DraftShareMs + trace.VerifyShareMs + trace.SamplingShareMs,
            trace => trace.CompletionTokens
        ),
        new("time to the first token", "ms", Direction.Less, trace => trace.FirstTokenMs, _ => 1),
        new("wait for a slot", "ms", Direction.Less, trace => trace.WaitingMs, _ => 1),
        new("block efficiency", "", Direction.More, trace => trace.CompletionTokens - 1, trace => trace.Iterations),
        new("acceptance", "%", Direction.More, trace => ToPercent * trace.Accepted, trace => trace.Proposed),
        new("mean speculation length", "", null, trace => trace.Proposed, trace => trace.Iterations),
        new("mean KLD", "nats", null, trace => trace.MeanKld * trace.Drafted, trace => trace.Drafted),
        new("tokens per output", "", null, trace => trace.CompletionTokens, _ => 1),
    ];
}

/// <summary>Which way is better.</summary>
internal enum Direction
{
    /// <summary>Less is better.</summary>
    Less,

    /// <summary>More is better.</summary>
    More,
}
