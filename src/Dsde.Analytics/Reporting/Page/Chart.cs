using System.Text.RegularExpressions;
using System.Xml.Linq;
using ScottPlot;

namespace Dsde.Analytics.Reporting.Page;

/// <summary>Draws charts as SVG that takes the page's own colour for lines and letters, so that it can be read in light and dark.</summary>
internal sealed partial class Chart
{
    private const int Width = 620; // pixels
    private const int Height = 320;
    private const float LetterSize = 13;
    private const string InkText = "#010203"; // stands for the page's colour
    private static readonly Color Ink = Color.FromHex(InkText);

    /// <summary>Colours that can be told apart on white and on black.</summary>
    public static readonly IReadOnlyList<Color> Colors =
    [
        .. new[] { "#3b82d6", "#e07b26", "#2f9e63", "#b855c8", "#c9a227", "#d6455d", "#2aa6b0", "#8a8f98" }.Select(Color.FromHex),
    ];

    private int _count;

    /// <summary>Draws one.</summary>
    /// <param name="title">What it shows, also for readers who can't see it.</param>
    /// <param name="x">The lower axis, with its unit.</param>
    /// <param name="y">The left axis, with its unit.</param>
    /// <param name="draw">Adds what is to be seen.</param>
    /// <returns>An <c>svg</c> element.</returns>
    public string Draw(string title, string x, string y, Action<Plot> draw)
    {
        ArgumentNullException.ThrowIfNull(draw);
        using var plot = new Plot();
        draw(plot);
        plot.Title(title, LetterSize + 1);
        plot.XLabel(x, LetterSize);
        plot.YLabel(y, LetterSize);
        plot.Axes.Left.TickLabelStyle.FontSize = plot.Axes.Bottom.TickLabelStyle.FontSize = LetterSize - 1;
        plot.Axes.Color(Ink);
        plot.Axes.Title.Label.ForeColor = Ink;
        plot.FigureBackground.Color = plot.DataBackground.Color = ScottPlot.Colors.Transparent;
        plot.Grid.MajorLineColor = Ink.WithAlpha(0.12);
        plot.Legend.BackgroundColor = ScottPlot.Colors.Transparent;
        plot.Legend.FontColor = Ink;
        plot.Legend.OutlineWidth = 0;
        plot.Legend.ShadowColor = ScottPlot.Colors.Transparent;
        plot.Legend.FontSize = LetterSize - 1;
        plot.Font.Set(Fonts.Sans);
        return Embed(plot.GetSvgXml(Width, Height), title);
    }

    /// <summary>Within a page, names must be unique, and the size is the page's to choose.</summary>
    private string Embed(string svg, string title)
    {
        var prefix = $"c{++_count}-";
        var root = XDocument.Parse(svg).Root ?? throw new InvalidOperationException("The chart has no root element.");
        root.SetAttributeValue("viewBox", $"0 0 {Width} {Height}");
        root.SetAttributeValue("width", null);
        root.SetAttributeValue("height", null);
        root.SetAttributeValue("role", "img");
        root.SetAttributeValue("aria-label", title);
        foreach (var attribute in root.DescendantsAndSelf().Attributes())
        {
            attribute.Value = attribute.Name.LocalName switch
            {
                "font-family" => "inherit",
                "id" => prefix + attribute.Value,
                _ => Reference()
                    .Replace(attribute.Value, $"#{prefix}$1")
                    .Replace(InkText, "currentColor", StringComparison.OrdinalIgnoreCase),
            };
        }

        return root.ToString(SaveOptions.DisableFormatting);
    }

    [GeneratedRegex(@"(?<=url\(|^)#(?![0-9a-fA-F]{6}$)([\w-]+)")]
    private static partial Regex Reference();
}
