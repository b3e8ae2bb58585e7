using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>Making texts as wide as wanted.</summary>
internal static class TextPadding
{
    public static Text Center(Text text, Arguments given, Budget budget)
    {
        var bound = given.Bind("center", 1, "/width", "/fillchar");
        return Center(text, bound.Int(0, 0), Fill(bound, 1), budget);
    }

    public static Text Center(Text text, int width, Text fill, Budget budget)
    {
        var missing = Missing(text, width);
        var left = (missing / 2) + (missing & width & 1);
        return Surround(text, fill, left, missing - left, budget);
    }

    public static Text Justify(Text text, Arguments given, bool isLeft, Budget budget)
    {
        var bound = given.Bind(isLeft ? "ljust" : "rjust", 1, "/width", "/fillchar");
        var missing = Missing(text, bound.Int(0, 0));
        return Surround(text, Fill(bound, 1), isLeft ? 0 : missing, isLeft ? missing : 0, budget);
    }

    public static Text FillZeros(Text text, Arguments given, Budget budget)
    {
        var missing = Missing(text, given.Bind("zfill", 1, "/width").Int(0, 0));
        var hasSign = text.Value is ['+' or '-', ..];
        var zeros = Repeat(Text.FromData("0"), missing, budget);
        var signed = new TextBuilder(budget);
        signed.Append(text.Slice(0, hasSign ? 1 : 0));
        signed.Append(zeros);
        signed.Append(text.Slice(hasSign ? 1 : 0, text.Length - (hasSign ? 1 : 0)));
        return signed.ToText().AsMarkup(text.IsMarkup);
    }

    public static Text ExpandTabs(Text text, Arguments given, Budget budget)
    {
        var size = given.Bind("expandtabs", 0, "tabsize").Int(0, 8);
        var result = new TextBuilder(budget);
        var column = 0;
        foreach (var part in CodePoints.Split(text).OfType<Text>())
        {
            if (part.Value == "\t")
            {
                var width = size <= 0 ? 0 : size - (column % size);
                result.Append(Repeat(Text.FromData(" "), width, budget));
                column += width;
            }
            else
            {
                result.Append(part);
                column = part.Value is "\n" or "\r" ? 0 : column + 1;
            }
        }

        return result.ToText().AsMarkup(text.IsMarkup);
    }

    private static int Missing(Text text, int width) => Math.Max(0, width - CodePoints.Count(text.Value));

    private static Text Fill(Bound bound, int index) =>
        !bound.Has(index) ? Text.FromData(" ")
        : CodePoints.Count(bound.Text(index).Value) == 1 ? bound.Text(index)
        : throw new TemplateException("The fill character must be exactly one character long");

    private static Text Surround(Text text, Text fill, int left, int right, Budget budget)
    {
        var result = new TextBuilder(budget);
        result.Append(Repeat(fill, left, budget));
        result.Append(text);
        result.Append(Repeat(fill, right, budget));
        return result.ToText().AsMarkup(text.IsMarkup);
    }

    private static Text Repeat(Text fill, int count, Budget budget)
    {
        budget.ChargeText(count, 0);
        return Text.Mixed(string.Concat(Enumerable.Repeat(fill.Value, count)), fill);
    }
}
