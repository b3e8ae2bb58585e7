using Dsde.Persistence.Jobs;
using Dsde.Statistics;

namespace Dsde.Analytics.Comparing;

/// <summary>Two runs side by side.</summary>
public sealed record Comparison
{
    /// <summary>The first, which the second is measured by.</summary>
    public required SideSummary First { get; init; }

    /// <summary>The second.</summary>
    public required SideSummary Second { get; init; }

    /// <summary>Prompts that both have, compared one by one; 0 if all outputs of one are compared with all of the other.</summary>
    public required int Pairs { get; init; }

    /// <summary>The differences.</summary>
    public required IReadOnlyList<Difference> Differences { get; init; }

    /// <summary>Compares two.</summary>
    internal static Comparison Create(ComparedSide first, ComparedSide second)
    {
        var pairs = PairUp(first, second);
        var isPaired = pairs.Count >= Bootstrap.LeastValues;
        return new Comparison
        {
            First = SideSummary.Of(first, isPaired ? pairs.Sum(pair => pair.First.Count) : first.Outputs.Count),
            Second = SideSummary.Of(second, isPaired ? pairs.Sum(pair => pair.Second.Count) : second.Outputs.Count),
            Pairs = isPaired ? pairs.Count : 0,
            Differences =
            [
                .. Measure.All.Select(measure => isPaired ? Difference.Of(measure, pairs) : Difference.Of(measure, first, second)),
            ],
        };
    }

    /// <summary>Prompts that both have; what ran several times counts together.</summary>
    private static List<(List<TraceSummary> First, List<TraceSummary> Second)> PairUp(ComparedSide first, ComparedSide second)
    {
        var others = second.Outputs.Where(output => output.Key is not null).ToLookup(output => output.Key, output => output.Trace);
        return
        [
            .. first
                .Outputs.Where(output => output.Key is not null)
                .GroupBy(output => output.Key, output => output.Trace)
                .Where(group => others.Contains(group.Key))
                .Select(group => (group.ToList(), others[group.Key].ToList())),
        ];
    }
}

/// <summary>One of the two.</summary>
/// <param name="Name">What it was called.</param>
/// <param name="Policies">Policies that ran.</param>
/// <param name="Outputs">Its outputs.</param>
/// <param name="Compared">Those of them that are compared.</param>
public sealed record SideSummary(string Name, IReadOnlyList<string> Policies, int Outputs, int Compared)
{
    internal static SideSummary Of(ComparedSide side, int compared) => new(side.Name, side.Policies, side.Outputs.Count, compared);
}
