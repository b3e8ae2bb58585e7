using Dsde.Grammars.Automata;

namespace Dsde.Grammars.Tokens;

/// <summary>
/// The tokens of a model as bytes, made once and shared by all grammars. Safe for concurrent use.
/// </summary>
public sealed class TokenVocabulary
{
    private readonly Dictionary<int, StringTokens> _inStrings = [];
    private readonly Lock _lock = new();
    private readonly byte[][] _bytes;

    /// <param name="bytesOf">What each id adds to a text; nothing for ids that stand for no text, which no grammar allows.</param>
    public TokenVocabulary(IReadOnlyList<byte[]> bytesOf)
    {
        ArgumentNullException.ThrowIfNull(bytesOf);
        _bytes = [.. bytesOf];
        Trie = new TokenTrie([.. _bytes.Select(bytes => (ReadOnlyMemory<byte>)bytes)]);
    }

    /// <summary>Ids from 0 to this, without it.</summary>
    public int Size => _bytes.Length;

    /// <summary>The bytes as a tree.</summary>
    internal TokenTrie Trie { get; }

    /// <summary>Words of 32 bits that have a bit for each id.</summary>
    internal int WordCount => (Size + 31) / 32;

    /// <summary>What an id adds to a text.</summary>
    internal ReadOnlySpan<byte> BytesOf(int id) => _bytes[id];

    /// <summary>
    /// What tokens do in strings: the dearest to find out, and the same in all grammars. <paramref name="state"/>: of <see
    /// cref="BoundedString.Unbounded"/>.
    /// </summary>
    internal StringTokens InStrings(int state)
    {
        lock (_lock)
        {
            return _inStrings.TryGetValue(state, out var known) ? known : _inStrings[state] = StringTokens.Find(this, state);
        }
    }
}
