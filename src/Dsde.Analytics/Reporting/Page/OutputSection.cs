using System.Globalization;
using System.Text;
using static Dsde.Analytics.Reporting.Page.HtmlWriter;

namespace Dsde.Analytics.Reporting.Page;

/// <summary>An output token by token, and the lists that lead there.</summary>
internal static class OutputSection
{
    private const string Legend =
        "<p class=\"legend\"><span class=\"t accepted\"></span> accepted <span class=\"t corrected\"></span> the target's in place of a "
        + "rejected proposal <span class=\"t bonus\"></span> the target's own behind accepted ones or without any "
        + "<span class=\"t forced\"></span> the only one its format allowed "
        + "<span class=\"t prompt\"></span> from the prompt's pass. The stronger the colour, the larger the KLD; "
        + "a gap is a new iteration.</p>";

    private const double LeastStrength = 0.35;

    private static readonly string[] Head = ["job", "workload", "policy", "tokens", "acceptance", "s, sending to end", "s, in the engine"];

    /// <summary>A list of outputs, each with a link to its section.</summary>
    public static void WriteList(HtmlWriter html, IReadOnlyList<OutputLine> lines) =>
        html.TableOfMarkup(
            Head,
            lines.Select(line =>
                (string[])
                    [
                        $"<a href=\"#{Anchor(line)}\">{Escape(NameOf(line))}</a>",
                        Escape(line.Workload ?? None),
                        Escape(line.Policy),
                        Number(line.CompletionTokens),
                        Percent(line.AcceptanceRate),
                        Number(line.Seconds),
                        Number(line.EngineSeconds),
                    ]
            )
        );

    /// <summary>The section, which shows once its link is followed.</summary>
    public static void Write(HtmlWriter html, OutputPage page)
    {
        var line = page.Output;
        html.Raw($"<section class=\"output\" id=\"{Anchor(line)}\">");
        html.Heading(NameOf(line));
        html.Raw(
            $"<p>Job <code>{line.JobId}</code>, output {line.Choice}: {Escape(line.Workload ?? "no workload")}, {Escape(line.Policy)}, "
                + $"{Number(line.CompletionTokens)} tokens, acceptance {Percent(line.AcceptanceRate)}, {Number(line.EngineSeconds)} s in "
                + "the engine. <a href=\"#\">Back to the report</a></p>"
        );
        if (page.Tokens.Count > 0)
        {
            html.Raw(Legend);
            html.Raw($"<p class=\"tokens\">{MarksOf(page.Tokens)}</p>");
        }
        else
        {
            html.Note("Its series are not stored.");
        }

        if (page.Text is { } text)
        {
            html.Raw($"<pre>{Escape(text)}</pre>");
        }
        else
        {
            html.Note("Its text is not stored.");
        }

        html.Raw("</section>");
    }

    private static string MarksOf(IReadOnlyList<OutputToken> tokens)
    {
        var (marks, iteration) = (new StringBuilder(), default(int?));
        foreach (var (index, token) in tokens.Index())
        {
            if (token.Iteration != iteration)
            {
                iteration = token.Iteration;
                marks.Append(' ');
            }

            var strength = LeastStrength + ((1 - LeastStrength) * (1 - Math.Exp(-2 * (token.Kld ?? 0))));
            marks.Append(
                CultureInfo.InvariantCulture,
                $"<span class=\"t {ClassOf(token.Origin)}\" style=\"--s:{strength:0.##}\" title=\"token {index + 1}"
            );
            if (token.Kld is { } kld)
            {
                marks.Append(CultureInfo.InvariantCulture, $", KLD {kld:0.###} nats, β {token.Beta:0.###}");
            }

            marks.Append("\"></span>");
        }

        return marks.ToString();
    }

    private static string NameOf(OutputLine line) =>
        (line.CustomId ?? line.JobId.ToString()) + (line.Choice > 0 ? $" ({line.Choice})" : "");

    private static string ClassOf(TokenOrigin origin) =>
        origin switch
        {
            TokenOrigin.Prompt => "prompt",
            TokenOrigin.Forced => "forced",
            TokenOrigin.Accepted => "accepted",
            TokenOrigin.Corrected => "corrected",
            _ => "bonus",
        };

    private static string Anchor(OutputLine line) => $"output-{line.JobId}-{line.Choice}";
}
