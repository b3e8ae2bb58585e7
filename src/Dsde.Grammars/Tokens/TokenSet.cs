using System.Numerics;

namespace Dsde.Grammars.Tokens;

/// <summary>Some tokens of a vocabulary: their ids if they are few, a bit for each id of the vocabulary otherwise. Never changes.</summary>
public sealed class TokenSet
{
    /// <summary>Up to so many ids are kept as a list.</summary>
    private const int Few = 128;

    private readonly int[]? _ids;
    private readonly uint[]? _words;

    private TokenSet(int[]? ids, uint[]? words, int count)
    {
        _ids = ids;
        _words = words;
        Count = count;
    }

    /// <summary>Tokens in the set.</summary>
    public int Count { get; }

    /// <summary>The ids, ascending, of a set of few; empty otherwise.</summary>
    public ReadOnlySpan<int> Ids => _ids;

    /// <summary>A bit for each id, the lowest first, of a set of many; empty otherwise.</summary>
    public ReadOnlySpan<uint> Words => _words;

    /// <summary>Whether the set is one of few: <see cref="Ids"/> has it then, otherwise <see cref="Words"/>.</summary>
    public bool IsFew => _ids is not null;

    /// <summary>Memory that the set takes, in bytes.</summary>
    internal int ByteCount => sizeof(int) * ((_ids?.Length ?? 0) + (_words?.Length ?? 0));

    /// <summary>Whether a token is in the set.</summary>
    public bool Contains(int id) =>
        _words is not null ? id >= 0 && id >> 5 < _words.Length && (_words[id >> 5] & (1u << id)) != 0 : Array.BinarySearch(_ids!, id) >= 0;

    /// <summary>Makes a set of bits, which are copied.</summary>
    internal static TokenSet Create(ReadOnlySpan<uint> words)
    {
        var count = 0;
        foreach (var word in words)
        {
            count += BitOperations.PopCount(word);
        }

        return count > Few ? new TokenSet(null, words.ToArray(), count) : new TokenSet(ToIds(words, count), null, count);
    }

    /// <summary>Adds the set's tokens to bits.</summary>
    internal void AddTo(Span<uint> words)
    {
        if (_words is not null)
        {
            for (var i = 0; i < _words.Length; i++)
            {
                words[i] |= _words[i];
            }

            return;
        }

        foreach (var id in _ids!)
        {
            words[id >> 5] |= 1u << id;
        }
    }

    private static int[] ToIds(ReadOnlySpan<uint> words, int count)
    {
        var ids = new int[count];
        var next = 0;
        for (var i = 0; i < words.Length; i++)
        {
            for (var word = words[i]; word != 0; word &= word - 1)
            {
                ids[next++] = (i << 5) + BitOperations.TrailingZeroCount(word);
            }
        }

        return ids;
    }
}
