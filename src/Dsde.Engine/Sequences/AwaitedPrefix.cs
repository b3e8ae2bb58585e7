namespace Dsde.Engine.Sequences;

/// <summary>A prefix that another sequence, admitted earlier, is still computing.</summary>
/// <param name="Owner">The other sequence.</param>
/// <param name="Length">Tokens that both begin with and the other will have computed.</param>
internal readonly record struct AwaitedPrefix(Sequence Owner, int Length);
