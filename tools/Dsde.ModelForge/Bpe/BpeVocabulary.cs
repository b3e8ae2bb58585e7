namespace Dsde.ModelForge.Bpe;

/// <summary>Special tokens, then the 256 bytes, then merges in the order in which they were learned.</summary>
internal sealed class BpeVocabulary
{
    private readonly List<byte[]> _bytes;
    private readonly List<(int Left, int Right)> _merges = [];

    public BpeVocabulary()
    {
        _bytes =
        [
            .. SpecialTokens.Texts.Select(_ => Array.Empty<byte>()),
            .. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }),
        ];
    }

    /// <summary>Tokens in all.</summary>
    public int Size => _bytes.Count;

    /// <summary>Merges; the i-th makes token <see cref="FirstMerge"/> + i.</summary>
    public IReadOnlyList<(int Left, int Right)> Merges => _merges;

    /// <summary>Id of the first merged token.</summary>
    public static int FirstMerge => SpecialTokens.Texts.Length + 256;

    /// <summary>The token of a byte.</summary>
    public static int IdOfByte(byte value) => SpecialTokens.Texts.Length + value;

    /// <summary>What a token stands for; nothing for special tokens.</summary>
    public ReadOnlySpan<byte> BytesOf(int id) => _bytes[id];

    /// <summary>Whether the last byte is a digit.</summary>
    public bool EndsInDigit(int id) => _bytes[id] is [.., >= (byte)'0' and <= (byte)'9'];

    /// <summary>Adds the token for a pair.</summary>
    public int AddMerge(int left, int right)
    {
        _merges.Add((left, right));
        _bytes.Add([.. _bytes[left], .. _bytes[right]]);
        return _bytes.Count - 1;
    }
}
