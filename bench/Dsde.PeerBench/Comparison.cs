using System.Diagnostics;
using Dsde.Batches.Reporting;
using Dsde.Benchmarks;
using Dsde.Statistics;

namespace Dsde.PeerBench;

/// <summary>Ways to decode the same prompts, each once per round, in an order that shifts.</summary>
internal sealed class Comparison(IReadOnlyList<Comparison.Way> ways)
{
    /// <summary>Times and outputs.</summary>
    /// <param name="rounds">Measured rounds, after one that warms up.</param>
    /// <returns>Of each way.</returns>
    public async Task<IReadOnlyList<Result>> RunAsync(int rounds)
    {
        var speeds = ways.Select(_ => new List<double>()).ToArray();
        var outputs = new IReadOnlyList<IReadOnlyList<int>>[ways.Count];
        for (var round = -1; round < rounds; round++)
        {
            for (var i = 0; i < ways.Count; i++)
            {
                var way = (i + Math.Max(round, 0)) % ways.Count;
                var start = Stopwatch.GetTimestamp();
                outputs[way] = await ways[way].DecodeAsync();
                var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                if (round >= 0)
                {
                    speeds[way].Add(outputs[way].Sum(output => output.Count) / seconds);
                }
            }
        }

        return
        [
            .. ways.Select(
                (way, i) =>
                {
                    var ratios = speeds[i].Zip(speeds[0], (own, first) => own / first).ToArray();
                    return new Result(
                        way.Name,
                        Samples.Median(speeds[i]),
                        Samples.Median(ratios),
                        Bootstrap.OfMedian(ratios),
                        outputs[i].Zip(outputs[0], CountSame).Average() / outputs[0].Average(output => output.Count)
                    );
                }
            ),
        ];
    }

    /// <summary>Tokens before the first that differs.</summary>
    private static int CountSame(IReadOnlyList<int> one, IReadOnlyList<int> other) =>
        one.Zip(other).TakeWhile(pair => pair.First == pair.Second).Count();

    /// <summary>A way to decode.</summary>
    /// <param name="Name">For people.</param>
    /// <param name="DecodeAsync">Decodes all prompts.</param>
    internal sealed record Way(string Name, Func<Task<IReadOnlyList<IReadOnlyList<int>>>> DecodeAsync);

    /// <summary>What came of one.</summary>
    /// <param name="Name">The way.</param>
    /// <param name="TokensPerSecond">Median, prompts included in the time.</param>
    /// <param name="Ratio">Median over the rounds, to the first way in the same round.</param>
    /// <param name="Interval">Where that median lies with 95 % confidence; null for too few rounds.</param>
    /// <param name="SameShare">Of the first way's tokens, those before the first that differs.</param>
    internal sealed record Result(string Name, double TokensPerSecond, double Ratio, Interval? Interval, double SameShare);
}
