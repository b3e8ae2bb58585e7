using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;

namespace Dsde.Analytics.Reporting.Page;

/// <summary>Writes the parts that pages are made of. Everything that is text is escaped here.</summary>
internal sealed class HtmlWriter
{
    /// <summary>Stands for what there is not.</summary>
    public const string None = "–";

    private readonly StringBuilder _html = new();

    /// <summary>Markup as it is.</summary>
    public void Raw(string markup) => _html.Append(markup).Append('\n');

    /// <summary>A heading, and what is to be said of the section.</summary>
    public void Heading(string title, string about = "", int level = 2)
    {
        Raw($"<h{level}>{Escape(title)}</h{level}>");
        if (about.Length > 0)
        {
            Raw($"<p>{Escape(about)}</p>");
        }
    }

    /// <summary>Something to be noted.</summary>
    public void Note(string text) => Raw($"<p class=\"note\">{Escape(text)}</p>");

    /// <summary>A number in large letters.</summary>
    public void Tile(string name, string value, string about) =>
        Raw(
            $"<div class=\"tile\"><div class=\"name\">{Escape(name)}</div><div class=\"value\">{Escape(value)}</div>"
                + $"<div class=\"about\">{Escape(about)}</div></div>"
        );

    /// <summary>Charts side by side; empty ones are left out.</summary>
    public void Figures(params IEnumerable<string> charts)
    {
        Raw("<div class=\"figures\">");
        foreach (var chart in charts.Where(chart => chart.Length > 0))
        {
            Raw($"<figure>{chart}</figure>");
        }

        Raw("</div>");
    }

    /// <summary>A table of text.</summary>
    public void Table(IReadOnlyList<string> head, IEnumerable<IReadOnlyList<string>> rows) =>
        TableOfMarkup(head, rows.Select(row => row.Select(Escape)));

    /// <summary>A table whose cells are markup.</summary>
    public void TableOfMarkup(IReadOnlyList<string> head, IEnumerable<IEnumerable<string>> rows)
    {
        Raw("<div class=\"scroll\"><table>");
        Raw($"<thead><tr>{string.Concat(head.Select(name => $"<th>{Escape(name)}</th>"))}</tr></thead>");
        Raw("<tbody>");
        foreach (var row in rows)
        {
            Raw($"<tr>{string.Concat(row.Select(cell => $"<td>{cell}</td>"))}</tr>");
        }

        Raw("</tbody></table></div>");
    }

    /// <inheritdoc/>
    public override string ToString() => _html.ToString();

    /// <summary>Text as markup.</summary>
    public static string Escape(string text) => HtmlEncoder.Default.Encode(text);

    /// <summary>A whole number with separators.</summary>
    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A number with three digits that mean something.</summary>
    public static string Number(double? number) =>
        number is not { } value ? None
        : Math.Abs(value) >= 100 ? value.ToString("N0", CultureInfo.InvariantCulture)
        : Math.Abs(value) >= 10 ? value.ToString("0.0", CultureInfo.InvariantCulture)
        : value.ToString("0.###", CultureInfo.InvariantCulture);

    /// <summary>A number with its sign.</summary>
    public static string Signed(double? number) => number?.ToString("+0.000;−0.000;0.000", CultureInfo.InvariantCulture) ?? None;

    /// <summary>From where to where.</summary>
    public static string Range(Statistics.Interval? interval) =>
        interval is { } known ? $"{Signed(known.Low)} to {Signed(known.High)}" : None;

    /// <summary>A share in percent.</summary>
    public static string Percent(double? share) => share?.ToString("0.0 %", CultureInfo.InvariantCulture) ?? None;

    /// <summary>A moment.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
