using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace Dsde.Engine.Tokenization;

/// <summary>Cuts text into words by one pattern after the other: what a pattern matches is a word, and so is what lies between.</summary>
internal sealed class WordSplitter : PreTokenizer
{
    /// <summary>The pattern that a ByteLevel pre-tokenizer with <c>use_regex</c> implies (GPT-2's).</summary>
    public const string Gpt2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>A pattern that needs longer for one match backtracks without end; sane ones need microseconds.</summary>
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Compiling takes long, and models share patterns: there are a handful of them.</summary>
    private static readonly ConcurrentDictionary<(string Pattern, TimeSpan MatchTimeout), Regex> Compiled = new();

    private readonly Regex[] _patterns;

    /// <param name="patterns">Applied in this order.</param>
    /// <param name="matchTimeout">Longest time for one match; null for ten seconds.</param>
    /// <exception cref="ArgumentException">A pattern is not a regular expression.</exception>
    public WordSplitter(IEnumerable<string> patterns, TimeSpan? matchTimeout = null) =>
        _patterns = [.. patterns.Select(pattern => Compile(pattern, matchTimeout ?? MatchTimeout))];

    /// <summary>The words of a text in order, without gaps.</summary>
    /// <exception cref="ArgumentException">While they are read: a pattern took too long for the text.</exception>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        var shown = RegexText.WithoutPairs(text, out var starts);
        IEnumerable<(int Offset, int Length)> words = [(0, shown.Length)];
        foreach (var pattern in _patterns)
        {
            words = words.SelectMany(word => Split(shown, word.Offset, word.Length, pattern));
        }

        return starts is null
            ? words
            : words.Select(word => (starts[word.Offset], starts[word.Offset + word.Length] - starts[word.Offset]));
    }

    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());

    private static IEnumerable<(int Offset, int Length)> Split(string text, int start, int length, Regex pattern)
    {
        // A part is matched as if it were all there is: what follows it is nothing to look ahead to.
        var part = length == text.Length ? text : text.Substring(start, length);
        var end = 0;
        for (var match = Find(pattern, part, null); match.Success; match = Find(pattern, part, match))
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

    private static Match Find(Regex pattern, string text, Match? previous)
    {
        try
        {
            return previous is null ? pattern.Match(text) : previous.NextMatch();
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw new ArgumentException(
                "The text can't be cut into words: the tokenizer's pattern backtracks for more than "
                    + $"{pattern.MatchTimeout.TotalSeconds:0.###} s at one place of it. Shorten runs of like characters.",
                exception
            );
        }
    }

    private static Regex Compile(string pattern, TimeSpan matchTimeout) =>
        Compiled.GetOrAdd(
            (pattern, matchTimeout),
            key => new Regex(key.Pattern, RegexOptions.Compiled | RegexOptions.CultureInvariant, key.MatchTimeout)
        );
}
