using Dsde.Statistics;

namespace Dsde.Benchmarks;

/// <summary>Says of a table which policies are really faster or slower, and of which these rounds can't tell.</summary>
internal static class RealDifferences
{
    /// <summary>A sentence per baseline that was measured; none with too few rounds.</summary>
    public static IEnumerable<string> Describe(IReadOnlyList<BenchRow> rows)
    {
        if (rows[0].Rounds < Bootstrap.LeastValues)
        {
            yield return $"Fewer than {Bootstrap.LeastValues} rounds: which differences are real can't be told.";
            yield break;
        }

        if (rows.Any(row => row.SpeedUp is not null))
        {
            yield return Describe("autoregressive", rows, row => row.SpeedUpInterval);
        }

        if (rows.FirstOrDefault(row => row.IsBestStatic) is { } best)
        {
            yield return Describe(best.Policy, rows, row => row.SpeedUpOverBestStaticInterval);
        }
    }

    private static string Describe(string baseline, IReadOnlyList<BenchRow> rows, Func<BenchRow, Interval?> intervalOf)
    {
        var others = rows.Where(row => row.Policy != baseline).ToList();
        return $"Against {baseline} (95 %): faster {List(interval => interval.Low > 1)}; slower {List(interval => interval.High < 1)}; "
            + $"not told apart {List(interval => !interval.Excludes(1))}.";

        string List(Func<Interval, bool> belongs)
        {
            var names = others.Where(row => intervalOf(row) is { } interval && belongs(interval)).Select(row => row.Policy).ToList();
            return names.Count == 0 ? "none" : string.Join(", ", names);
        }
    }
}
