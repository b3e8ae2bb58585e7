using System.Globalization;
using System.Text;
using Dsde.Contracts;

namespace Dsde.Batches.Files.Writing;

/// <summary>
/// What tokens are called in results: their text; where their bytes are no text by themselves <c>bytes:\xe4\xb8</c>, as OpenAI does; and
/// <c>token_id:N</c> where only ids are known.
/// </summary>
/// <param name="tokens">What is known of them; null if only ids are.</param>
internal sealed class TokenNames(IReadOnlyList<TokenBytes>? tokens)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Dictionary<int, (TokenBytes Token, string Name)> _tokens = (tokens ?? []).ToDictionary(
        token => token.TokenId,
        token => (token, Describe(token.Bytes))
    );

    /// <summary>Whether bytes are known, and so where in the text a token stands.</summary>
    public bool HaveBytes => tokens is not null;

    /// <summary>The name, which several tokens may have.</summary>
    public string NameOf(int tokenId) => _tokens.TryGetValue(tokenId, out var known) ? known.Name : NumberOf(tokenId);

    /// <summary>A name that no other token has.</summary>
    public static string NumberOf(int tokenId) => string.Create(CultureInfo.InvariantCulture, $"token_id:{tokenId}");

    /// <summary>The bytes; null if they are not known.</summary>
    public byte[]? BytesOf(int tokenId) => _tokens.GetValueOrDefault(tokenId).Token?.Bytes;

    /// <summary>
    /// Where in a text its tokens begin, in Unicode characters; of one that begins within a character, where that begins. Tokens of a stop
    /// string, which is cut off, are at the end.
    /// </summary>
    public IEnumerable<int> FindOffsets(IReadOnlyList<int> tokenIds, string text)
    {
        var length = CountCharacters(text);
        var decoder = Encoding.UTF8.GetDecoder();
        var offset = 0;
        foreach (var id in tokenIds)
        {
            yield return Math.Min(offset, length);
            if (_tokens.GetValueOrDefault(id).Token is { IsSpecial: false, Bytes: var bytes })
            {
                var characters = new char[decoder.GetCharCount(bytes, flush: false)];
                decoder.GetChars(bytes, characters, flush: false);
                offset += CountCharacters(characters);
            }
        }
    }

    private static int CountCharacters(IEnumerable<char> text) => text.Count(unit => !char.IsLowSurrogate(unit));

    private static string Describe(byte[] bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return "bytes:"
                + string.Concat(
                    bytes.Select(value =>
                        value is >= (byte)' ' and <= (byte)'~' and not (byte)'\\'
                            ? $"{(char)value}"
                            : string.Create(CultureInfo.InvariantCulture, $"\\x{value:x2}")
                    )
                );
        }
    }
}
