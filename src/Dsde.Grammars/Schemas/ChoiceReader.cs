using System.Text;
using System.Text.Json;
using Dsde.Grammars.Automata;
using Dsde.Grammars.Rules;

namespace Dsde.Grammars.Schemas;

/// <summary>A list of texts, one of which an output is.</summary>
internal static class ChoiceReader
{
    /// <exception cref="GrammarException">It is no list of texts.</exception>
    public static void Add(string json, RuleNode start, RuleNode end)
    {
        var texts = Read(json);
        if (texts.Count == 0)
        {
            throw new GrammarException("#", "is empty; give at least one text.");
        }

        start.Add(
            new Pattern.Choice([.. texts.Distinct(StringComparer.Ordinal).Select(text => Pattern.Of(Encoding.UTF8.GetBytes(text)))]),
            end
        );
    }

    private static List<string> Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<List<string?>>(json) is { } texts
                ? texts
                    .Select(
                        (text, index) => text is { Length: > 0 } ? text : throw new GrammarException($"#/{index}", "is empty; give a text.")
                    )
                    .ToList()
                : throw NoList();
        }
        catch (JsonException)
        {
            throw NoList();
        }
    }

    private static GrammarException NoList() => new("#", "must be a list of texts.");
}
