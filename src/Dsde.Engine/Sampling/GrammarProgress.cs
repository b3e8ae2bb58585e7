using Dsde.Grammars.Tokens;

namespace Dsde.Engine.Sampling;

/// <summary>
/// How far an output has got in its grammar, token by token. Nothing of it is stored: committed tokens tell it all. Of sequences without a
/// grammar there is none.
/// </summary>
/// <param name="grammar">The grammar in the model's tokens.</param>
internal sealed class GrammarProgress(TokenGrammar grammar)
{
    private readonly List<GrammarState> _states = [grammar.Start]; // behind 0, 1, … tokens

    /// <summary>Where the output is.</summary>
    public GrammarState State => _states[^1];

    /// <summary>Whether the output is complete: nothing but its end could follow.</summary>
    public bool IsComplete => State.IsComplete;

    /// <summary>Whether the model has no token for what the grammar wants next, though something has to come.</summary>
    public bool IsStuck => !IsComplete && grammar.Allowed(State).Count == 0;

    /// <summary>
    /// The tokens that have to follow, whatever the models say: as long as one token alone is allowed, and neither ends nor completes the
    /// output, which the row before finds out without a proposal.
    /// </summary>
    /// <param name="most">Most to look for.</param>
    public IReadOnlyList<int> FindForced(int most)
    {
        List<int> forced = [];
        for (
            var state = State;
            forced.Count < most
                && !state.IsComplete
                && grammar.Allowed(state) is { Count: 1, Ids: [var tokenId] }
                && grammar.Advance(state, tokenId) is { IsComplete: false } next
                && grammar.Allowed(next).Count > 0;
            state = next
        )
        {
            forced.Add(tokenId);
        }

        return forced;
    }

    /// <summary>Takes in a committed token that does not end the output.</summary>
    /// <exception cref="ArgumentException">The grammar does not allow it here.</exception>
    public void Add(int tokenId) =>
        _states.Add(
            grammar.Advance(State, tokenId)
                ?? throw new ArgumentException(
                    $"Token {tokenId} at place {_states.Count - 1} of the output is not what the grammar allows."
                )
        );

    /// <summary>The tokens that the grammar allows behind so many tokens of the output; null for all.</summary>
    public TokenSet? AllowedBehind(int tokenCount) => Allowed(_states[tokenCount]);

    /// <summary>
    /// The tokens that the grammar allows behind a state that was assumed; null for all, as behind an end, or where the model has none and
    /// the output fails once it gets there.
    /// </summary>
    public TokenSet? Allowed(GrammarState? state) =>
        state is { IsComplete: false } && grammar.Allowed(state) is { Count: > 0 } allowed ? allowed : null;

    /// <summary>The state behind a token that is assumed; null where the output would have ended, or been refused.</summary>
    public GrammarState? Assume(GrammarState? state, int tokenId) =>
        state is null or { IsComplete: true } ? null : grammar.Advance(state, tokenId);
}
