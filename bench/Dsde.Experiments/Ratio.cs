using Dsde.Statistics;

namespace Dsde.Experiments;

/// <summary>How one cell compares with another in something per token.</summary>
/// <param name="Value">The first by the second.</param>
/// <param name="Interval">Where that lies with 95 % confidence; null with fewer than three rounds or prompts.</param>
internal readonly record struct Ratio(double Value, Interval? Interval)
{
    /// <summary>Time of outputs per token, from slot to end.</summary>
    public static Ratio OfLatency(CellData cell, CellData other) => Of(cell, other, output => output.LatencyMs);

    /// <summary>The machine's tokens per second.</summary>
    public static Ratio OfThroughput(CellData cell, CellData other) => Of(other, cell, output => output.MachineMs);

    /// <summary>
    /// By rounds and prompts that both have. Both are drawn anew for the interval, because a round that fell into a busy minute and a
    /// prompt that the draft fails on are both chance.
    /// </summary>
    private static Ratio Of(CellData cell, CellData other, Func<OutputFigures, double> time)
    {
        var (ones, others) = (Grid.Of(cell, time), Grid.Of(other, time));
        int[] rounds = [.. ones.Rounds.Intersect(others.Rounds)];
        string[] keys = [.. ones.Keys.Intersect(others.Keys)];
        var values = ones.Over(rounds, keys);
        var otherValues = others.Over(rounds, keys);
        int[] allRounds = [.. Enumerable.Range(0, rounds.Length)];
        int[] allKeys = [.. Enumerable.Range(0, keys.Length)];
        return new Ratio(Figure(allRounds, allKeys), Bootstrap.OfTwo(allRounds, allKeys, Figure));

        double Figure(IReadOnlyList<int> drawnRounds, IReadOnlyList<int> drawnKeys)
        {
            var (mine, theirs) = (default(Part), default(Part));
            foreach (var round in drawnRounds)
            {
                foreach (var key in drawnKeys)
                {
                    mine += values[round, key];
                    theirs += otherValues[round, key];
                }
            }

            return mine.Milliseconds / mine.Tokens / (theirs.Milliseconds / theirs.Tokens);
        }
    }

    private readonly record struct Part(double Milliseconds, double Tokens)
    {
        public static Part operator +(Part a, Part b) => new(a.Milliseconds + b.Milliseconds, a.Tokens + b.Tokens);
    }

    private sealed class Grid
    {
        private readonly Dictionary<(int Round, string Key), Part> _parts = [];

        public IEnumerable<int> Rounds => _parts.Keys.Select(place => place.Round).Distinct().Order();

        public IEnumerable<string> Keys => _parts.Keys.Select(place => place.Key).Distinct().Order(StringComparer.Ordinal);

        public static Grid Of(CellData cell, Func<OutputFigures, double> time)
        {
            var grid = new Grid();
            foreach (var output in cell.Outputs)
            {
                var place = (output.Round, output.Key);
                grid._parts[place] = grid._parts.GetValueOrDefault(place) + new Part(time(output), output.Tokens);
            }

            return grid;
        }

        public Part[,] Over(int[] rounds, string[] keys)
        {
            var values = new Part[rounds.Length, keys.Length];
            for (var i = 0; i < rounds.Length; i++)
            {
                for (var j = 0; j < keys.Length; j++)
                {
                    values[i, j] = _parts.GetValueOrDefault((rounds[i], keys[j]));
                }
            }

            return values;
        }
    }
}
