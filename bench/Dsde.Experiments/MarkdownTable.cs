using System.Globalization;
using Dsde.Statistics;

namespace Dsde.Experiments;

/// <summary>A table in Markdown: the first column to the left, numbers to the right.</summary>
internal sealed class MarkdownTable(params string[] header)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row of as many cells as the header has.</summary>
    public void Add(params string[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, header.Length);
        _rows.Add(cells);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Join(
            '\n',
            _rows
                .Prepend([.. header.Select((_, column) => column == 0 ? "---" : "---:")])
                .Prepend(header)
                .Select(cells => $"| {string.Join(" | ", cells)} |")
        );

    /// <summary>A number; a dash for none.</summary>
    public static string Number(double? value, string format = "0.00") =>
        value is { } known && double.IsFinite(known) ? known.ToString(format, CultureInfo.InvariantCulture) : "–";

    /// <summary>A share in percent.</summary>
    public static string Percent(double? share) => share is { } known ? Number(100 * known, "0.0") + " %" : "–";

    /// <summary>A figure with its interval.</summary>
    public static string With(double? value, Interval? interval, string format = "0.00") =>
        Number(value, format) + (interval is { } range ? $" [{Number(range.Low, format)}, {Number(range.High, format)}]" : "");

    /// <summary>A ratio with its interval.</summary>
    public static string With(Ratio ratio) => With(ratio.Value, ratio.Interval);
}
