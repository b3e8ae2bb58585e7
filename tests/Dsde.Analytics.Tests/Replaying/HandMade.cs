using Dsde.Analytics.Positions;
using Dsde.Analytics.Replaying;
using Dsde.Speculation;

namespace Dsde.Analytics.Tests.Replaying;

/// <summary>Outputs written down by hand.</summary>
internal static class HandMade
{
    /// <summary>An output: <c>1</c> where the draft is right, <c>0</c> where not, <c>?</c> where nobody knows.</summary>
    public static PositionTrace Output(string bits, int? limit = null, string name = "a")
    {
        var output = new PositionTrace(bits.Length) { Name = name, Limit = limit ?? bits.Length };
        for (var position = 0; position < bits.Length; position++)
        {
            if (bits[position] != '?')
            {
                output.SetChance(position, bits[position] - '0');
            }
        }

        return output;
    }

    public static Replay Replay(int batchSize, params PositionTrace[] outputs) =>
        new([new ReplaySource(outputs, batchSize, null, null)], 10);

    /// <summary>Begin, proposed and accepted of each iteration of the first output.</summary>
    public static (int, int, int)[] Iterations(this Replay replay, string policy) =>
        [
            .. replay
                .Trace(PolicyConfiguration.Parse(policy))[0]
                .Iterations.Select(iteration => (iteration.Begin, iteration.Proposed, iteration.Accepted)),
        ];
}
