using System.Text;
using Dsde.Grammars.Tokens;

namespace Dsde.Grammars.Tests;

/// <summary>What a grammar lets through.</summary>
internal static class Outputs
{
    /// <summary>Id behind the 256 bytes that ends outputs.</summary>
    public const int End = 256;

    private static readonly TokenVocabulary Bytes = new([.. Enumerable.Range(0, 256).Select(value => (byte[])[(byte)value]), []]);

    /// <summary>Whether a text is an output, and whether the grammar's sets of tokens say so at every byte.</summary>
    public static bool Accepts(Grammar grammar, string text) => Accepts(grammar, Encoding.UTF8.GetBytes(text));

    /// <inheritdoc cref="Accepts(Grammar, string)"/>
    public static bool Accepts(Grammar grammar, ReadOnlySpan<byte> text)
    {
        var tokens = new TokenGrammar(grammar, Bytes, [End]);
        var state = tokens.Start;
        foreach (var value in text)
        {
            var next = tokens.Advance(state, value);
            tokens.Allowed(state).Contains(value).ShouldBe(next is not null);
            if (next is null)
            {
                return false;
            }

            state = next;
        }

        tokens.Allowed(state).Contains(End).ShouldBe(state.IsAccepting);
        return state.IsAccepting;
    }

    public static Grammar Schema(string schema) => Grammar.Compile(new GrammarDefinition(GrammarKind.JsonSchema, schema));

    public static Grammar Regex(string expression) => Grammar.Compile(new GrammarDefinition(GrammarKind.Regex, expression));
}
