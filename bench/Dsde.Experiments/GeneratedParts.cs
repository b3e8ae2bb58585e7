using System.Text;

namespace Dsde.Experiments;

/// <summary>
/// Puts tables into a page that people write around them: between <c>&lt;!-- name --&gt;</c> and <c>&lt;!-- /name --&gt;</c>.
/// </summary>
internal static class GeneratedParts
{
    /// <summary>The page with every part made anew.</summary>
    /// <param name="page">The page.</param>
    /// <param name="parts">By name.</param>
    /// <exception cref="FormatException">The page lacks the marks of a part.</exception>
    public static string Replace(string page, IReadOnlyDictionary<string, string> parts)
    {
        foreach (var (name, part) in parts)
        {
            var (opening, closing) = ($"<!-- {name} -->", $"<!-- /{name} -->");
            var (from, to) = (page.IndexOf(opening, StringComparison.Ordinal), page.IndexOf(closing, StringComparison.Ordinal));
            if (from < 0 || to < from)
            {
                throw new FormatException($"The page has no place for {name}: write {opening} and {closing} into it.");
            }

            page = new StringBuilder()
                .Append(page, 0, from + opening.Length)
                .Append("\n\n")
                .Append(part)
                .Append("\n\n")
                .Append(page, to, page.Length - to)
                .ToString();
        }

        return page;
    }
}
