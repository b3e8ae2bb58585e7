namespace Dsde.Grammars;

/// <summary>What an output is held to, as it was asked for. Equal definitions make equal grammars.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Text">The schema, the expression or the list; empty for <see cref="GrammarKind.JsonObject"/>.</param>
public sealed record GrammarDefinition(GrammarKind Kind, string Text);
