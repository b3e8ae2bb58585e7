namespace Dsde.Engine.Tokenization;

/// <summary>
/// The characters that stand for bytes in byte-level vocabularies (Radford et al. 2019): printable Latin-1 characters for their own byte,
/// characters from U+0100 on for the others, in order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = Create();
    private static readonly Dictionary<char, byte> Bytes = Enumerable
        .Range(0, 256)
        .ToDictionary(value => Characters[value], value => (byte)value);

    /// <summary>The character of a byte.</summary>
    public static char ToCharacter(byte value) => Characters[value];

    /// <summary>The text that stands for bytes.</summary>
    public static string ToText(ReadOnlySpan<byte> bytes)
    {
        var text = bytes.Length <= 256 ? stackalloc char[bytes.Length] : new char[bytes.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            text[i] = Characters[bytes[i]];
        }

        return new string(text);
    }

    /// <summary>The bytes of a token's text; null if a character stands for none.</summary>
    public static byte[]? TryToBytes(string text)
    {
        var bytes = new byte[text.Length];
        for (var i = 0; i < text.Length; i++)
        {
            if (!Bytes.TryGetValue(text[i], out bytes[i]))
            {
                return null;
            }
        }

        return bytes;
    }

    private static char[] Create()
    {
        var characters = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            var standsForItself = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            characters[value] = (char)(standsForItself ? value : next++);
        }

        return characters;
    }
}
