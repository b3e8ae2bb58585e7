using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Dsde.Engine.Tokenization;

/// <summary>Cuts text into words by one pattern after the other: what a pattern matches is a word, and so is what lies between.</summary>
internal sealed class WordSplitter
{
    /// <summary>The pattern that a ByteLevel pre-tokenizer with <c>use_regex</c> implies (GPT-2's).</summary>
    public const string Gpt2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>A pattern that needs longer for one match backtracks without end; sane ones need microseconds.</summary>
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Compiling takes long, and models share patterns: there are a handful of them.</summary>
    private static readonly ConcurrentDictionary<string, Regex> Compiled = new(StringComparer.Ordinal);

    private readonly Regex[] _patterns;

    /// <exception cref="ArgumentException">A pattern is not a regular expression.</exception>
    public WordSplitter(IEnumerable<string> patterns) => _patterns = [.. patterns.Select(Compile)];

    /// <summary>The words of a text in order, without gaps.</summary>
    public IEnumerable<(int Start, int Length)> Split(string text)
    {
        var shown = RegexText.WithoutPairs(text, out var starts);
        IEnumerable<(int Start, int Length)> words = [(0, shown.Length)];
        foreach (var pattern in _patterns)
        {
            words = words.SelectMany(word => Split(shown, word.Start, word.Length, pattern));
        }

        return starts is null ? words : words.Select(word => (starts[word.Start], starts[word.Start + word.Length] - starts[word.Start]));
    }

    private static IEnumerable<(int Start, int Length)> Split(string text, int start, int length, Regex pattern)
    {
        // A part is matched as if it were all there is: what follows it is nothing to look ahead to.
        var part = length == text.Length ? text : text.Substring(start, length);
        var end = 0;
        for (var match = pattern.Match(part); match.Success; match = match.NextMatch())
        {
            if (match.Index > end)
            {
                yield return (start + end, match.Index - end);
            }

            if (match.Length > 0)
            {
                yield return (start + match.Index, match.Length);
            }

            end = match.Index + match.Length;
        }

        if (end < length)
        {
            yield return (start + end, length - end);
        }
    }

    private static Regex Compile(string pattern) =>
        Compiled.GetOrAdd(pattern, text => new Regex(text, RegexOptions.Compiled | RegexOptions.CultureInvariant, MatchTimeout));
}
