namespace Dsde.Grammars.Automata;

/// <summary>An automaton would have more states than <see cref="GrammarLimits"/> allows. Whoever knows the place in the definition says
/// it.</summary>
internal sealed class TooLargeException() : Exception("An automaton has too many states.");
