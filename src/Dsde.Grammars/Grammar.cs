using Dsde.Grammars.Automata;
using Dsde.Grammars.Regexes;
using Dsde.Grammars.Rules;
using Dsde.Grammars.Schemas;

namespace Dsde.Grammars;

/// <summary>
/// What outputs may be, as rules over bytes: an automaton with a stack. Knows no tokens; never changes, so that any number of threads may
/// use it.
/// </summary>
public sealed class Grammar
{
    private Grammar(GrammarDefinition definition, RuleNode start)
    {
        Definition = definition;
        Start = start;
    }

    /// <summary>What it was made of.</summary>
    public GrammarDefinition Definition { get; }

    /// <summary>Where outputs begin.</summary>
    internal RuleNode Start { get; }

    /// <summary>Makes a grammar of a definition.</summary>
    /// <param name="definition">What is asked for.</param>
    /// <exception cref="GrammarException">It is broken, unsupported, too large, or nothing matches it.</exception>
    public static Grammar Compile(GrammarDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        if (definition.Text.Length > GrammarLimits.MaxTextLength)
        {
            throw new GrammarException("#", $"has {definition.Text.Length} characters; give at most {GrammarLimits.MaxTextLength}.");
        }

        var rules = new RuleSet();
        var (start, end) = (rules.AddNode(), rules.AddNode(isEnd: true));
        try
        {
            switch (definition.Kind)
            {
                case GrammarKind.JsonSchema:
                    SchemaCompiler.Compile(definition.Text, rules, start, end);
                    break;
                case GrammarKind.JsonObject:
                    AnyValue.AddObject(rules, start, end);
                    break;
                case GrammarKind.Regex:
                    AddRegex(definition.Text, start, end);
                    break;
                case GrammarKind.Choice:
                    ChoiceReader.Add(definition.Text, start, end);
                    break;
            }

            rules.Name(start, "#");
            rules.Settle();
        }
        catch (TooLargeException)
        {
            throw new GrammarException("#", "is too large: its automata have too many states. Ask for less, or shorter repetitions.");
        }

        return start.Height <= GrammarLimits.MaxDepth
            ? new Grammar(definition, start)
            : throw new GrammarException(
                "#",
                $"requires objects or arrays {start.Height} deep; outputs nest at most {GrammarLimits.MaxDepth} deep."
            );
    }

    private static void AddRegex(string expression, RuleNode start, RuleNode end)
    {
        var automaton =
            PatternCompiler.Compile(RegexParser.ParseWhole(expression, Utf8.Encode))
            ?? throw new GrammarException("character 1", "begins an expression that matches nothing.");
        start.Add(automaton, end);
    }
}
