namespace Dsde.Grammars.Tokens;

/// <summary>What the tokens of a vocabulary do from one state of a <see cref="Automata.Terminal"/> on, whatever comes behind it.</summary>
/// <param name="Inside">Tokens that the automaton takes whole.</param>
/// <param name="Exits">Nodes of the trie that go on where the automaton may end, with the end's number.</param>
internal sealed record TerminalTokens(TokenSet Inside, (int Node, int Exit)[] Exits)
{
    /// <summary>Memory that it takes, in bytes.</summary>
    public int ByteCount => Inside.ByteCount + (8 * Exits.Length);
}
