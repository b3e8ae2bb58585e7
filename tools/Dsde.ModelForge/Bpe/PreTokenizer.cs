using System.Text.RegularExpressions;

namespace Dsde.ModelForge.Bpe;

/// <summary>Cuts text into the words that merges stay within, as the ByteLevel pre-tokenizer of tokenizer.json files does.</summary>
internal static partial class PreTokenizer
{
    /// <summary>The words, which together are the text.</summary>
    public static IEnumerable<string> Split(string text) => Pattern().Matches(text).Select(match => match.Value);

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Pattern();
}
