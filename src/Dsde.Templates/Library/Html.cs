using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>Escaping, for the few templates that want it.</summary>
internal static class Html
{
    private static readonly Dictionary<char, string> Entities = new()
    {
        ['&'] = "&amp;",
        ['<'] = "&lt;",
        ['>'] = "&gt;",
        ['\''] = "&#39;",
        ['"'] = "&#34;",
    };

    public static Text Escape(Text text, Budget budget)
    {
        var escaped = new TextBuilder(budget);
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (Entities.TryGetValue(text.Value[i], out var entity))
            {
                escaped.Append(text.Slice(start, i - start));
                escaped.Append(Text.FromData(entity));
                start = i + 1;
            }
        }

        escaped.Append(text.Slice(start, text.Length - start));
        return escaped.ToText().AsMarkup();
    }
}
