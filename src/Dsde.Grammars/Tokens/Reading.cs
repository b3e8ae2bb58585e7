using Dsde.Grammars.Automata;
using Dsde.Grammars.Rules;

namespace Dsde.Grammars.Tokens;

/// <summary>One of the ways in which the bytes so far can be read.</summary>
/// <param name="Terminal">The automaton that reads.</param>
/// <param name="State">Its state.</param>
/// <param name="Targets">Where its ends lead.</param>
/// <param name="Frame">The rule it is in.</param>
internal readonly record struct Reading(Terminal Terminal, int State, RuleNode[] Targets, Frame Frame);
