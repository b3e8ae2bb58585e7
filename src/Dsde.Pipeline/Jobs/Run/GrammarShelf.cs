using Dsde.Contracts;
using Dsde.Grammars;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>The grammars of the latest jobs: those of a batch mostly ask for the same. Safe for concurrent use.</summary>
internal sealed class GrammarShelf
{
    private const int Most = 64;

    private readonly LinkedList<(OutputFormat Format, Grammar Grammar)> _latest = new();
    private readonly Lock _lock = new();

    /// <summary>The grammar of a format.</summary>
    /// <exception cref="GrammarException">The format can't be made one.</exception>
    public Grammar Find(OutputFormat format)
    {
        lock (_lock)
        {
            for (var entry = _latest.First; entry is not null; entry = entry.Next)
            {
                if (entry.Value.Format == format)
                {
                    _latest.Remove(entry);
                    _latest.AddFirst(entry);
                    return entry.Value.Grammar;
                }
            }
        }

        var grammar = Grammar.Compile(new GrammarDefinition(KindOf(format.Kind), format.Text)); // may take long: others need not wait
        lock (_lock)
        {
            _latest.AddFirst((format, grammar));
            if (_latest.Count > Most)
            {
                _latest.RemoveLast();
            }
        }

        return grammar;
    }

    private static GrammarKind KindOf(OutputKind kind) =>
        kind switch
        {
            OutputKind.JsonSchema => GrammarKind.JsonSchema,
            OutputKind.JsonObject => GrammarKind.JsonObject,
            OutputKind.Regex => GrammarKind.Regex,
            _ => GrammarKind.Choice,
        };
}
