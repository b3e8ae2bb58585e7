using Dsde.Grammars.Tokens;

namespace Dsde.Engine.Sampling;

/// <summary>
/// What grammars allow at the places of one iteration: behind the committed tokens, and behind every proposal as if it were committed.
/// </summary>
internal sealed class AssumedGrammar
{
    private readonly GrammarProgress?[] _progress;
    private readonly List<GrammarState?>[] _states; // by rank, behind 0, 1, … proposals

    private AssumedGrammar(GrammarProgress?[] progress)
    {
        _progress = progress;
        _states = Array.ConvertAll(progress, one => new List<GrammarState?> { one?.State });
    }

    /// <summary>Of sequences by rank; null if none has a grammar.</summary>
    public static AssumedGrammar? Create(IReadOnlyList<GrammarProgress?> progress) =>
        progress.Any(one => one is not null) ? new AssumedGrammar([.. progress]) : null;

    /// <summary>Whether any of some ranks has a grammar, so that its proposals have to be known on the host.</summary>
    public bool Concerns(ReadOnlySpan<int> ranks)
    {
        foreach (var rank in ranks)
        {
            if (_progress[rank] is not null)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a rank has a grammar.</summary>
    public bool Concerns(int rank) => _progress[rank] is not null;

    /// <summary>Proposals that are assumed of a rank.</summary>
    public int AssumedOf(int rank) => _states[rank].Count - 1;

    /// <summary>A rank has got one more proposal.</summary>
    public void Assume(int rank, int tokenId)
    {
        if (_progress[rank] is { } progress)
        {
            _states[rank].Add(progress.Assume(_states[rank][^1], tokenId));
        }
    }

    /// <summary>The tokens allowed at a place of a rank's block; null for all.</summary>
    public TokenSet? AllowedAt(int rank, int place) => _progress[rank]?.Allowed(_states[rank][place]);
}
