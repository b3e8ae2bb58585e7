namespace Dsde.Engine.Tokenization;

/// <summary>
/// The characters that stand for bytes in byte-level vocabularies (Radford et al. 2019): printable Latin-1 characters for their own byte,
/// characters from U+0100 on for the others, in order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly Dictionary<char, byte> Bytes = Create();

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

    private static Dictionary<char, byte> Create()
    {
        var bytes = new Dictionary<char, byte>();
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            var standsForItself = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            bytes.Add((char)(standsForItself ? value : next++), (byte)value);
        }

        return bytes;
    }
}
