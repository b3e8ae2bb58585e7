using System.Numerics;
using System.Runtime.InteropServices;

namespace Dsde.Engine.Sequences;

/// <summary>
/// Finds where a sequence's last tokens occurred before in its own prompt and output (prompt lookup decoding): the most recent occurrence
/// of the last 16, or else of the last 8, 4 or 2.
/// </summary>
/// <remarks>
/// A table per length, from the hash of so many tokens to the position behind their latest occurrence: an entry for each token and length,
/// written once, so that a token costs constant time, and finding a match as well, whatever the text. A suffix automaton would give longest
/// matches of any length at several times the memory; what a match is worth depends on whether it is long or short, not on a token more,
/// and acceptance is learned per length anyway. Tables are filled up to the sequence's end only when somebody looks for something.
/// </remarks>
internal sealed class LookupIndex
{
    /// <summary>Tokens that must be the same, longest first; each half of the one before.</summary>
    public static readonly IReadOnlyList<int> MatchLengths = [16, 8, 4, 2];

    private const ulong Multiplier = 0x9E3779B97F4A7C15; // 2⁶⁴ by the golden ratio, odd
    private readonly Dictionary<ulong, int>[] _next = [.. MatchLengths.Select(_ => new Dictionary<ulong, int>())];
    private readonly ulong[] _hashes = new ulong[MatchLengths.Count];
    private int _known = 1; // positions whose token is known to follow what stands before it

    /// <summary>The longest match of the last tokens; null if not even the shortest has occurred before.</summary>
    /// <param name="tokens">The whole sequence; of calls in turn, each goes on from the one before.</param>
    public LookupMatch? Find(ReadOnlySpan<int> tokens)
    {
        for (; _known < tokens.Length; _known++)
        {
            Add(tokens[.._known]);
        }

        HashEnd(tokens);
        for (var i = 0; i < MatchLengths.Count; i++)
        {
            var length = MatchLengths[i];
            if (
                length < tokens.Length
                && _next[i].TryGetValue(_hashes[i], out var next)
                && tokens[(next - length)..next].SequenceEqual(tokens[^length..])
            )
            {
                return new LookupMatch(length, next, tokens.Length - next);
            }
        }

        return null;
    }

    /// <summary>Notes that something follows what these tokens end with.</summary>
    private void Add(ReadOnlySpan<int> tokens)
    {
        HashEnd(tokens);
        for (var i = 0; i < MatchLengths.Count; i++)
        {
            if (MatchLengths[i] <= tokens.Length)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(_next[i], _hashes[i], out _) = tokens.Length;
            }
        }
    }

    /// <summary>Hashes of the last tokens, of each length that there are tokens for.</summary>
    private void HashEnd(ReadOnlySpan<int> tokens)
    {
        var hash = 0UL;
        var level = MatchLengths.Count - 1;
        for (var count = 1; level >= 0 && count <= tokens.Length; count++)
        {
            hash = (BitOperations.RotateLeft(hash, 23) ^ (uint)tokens[^count]) * Multiplier;
            if (count == MatchLengths[level])
            {
                _hashes[level--] = hash;
            }
        }
    }
}
