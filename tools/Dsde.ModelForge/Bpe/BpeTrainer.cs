using System.Text;

namespace Dsde.ModelForge.Bpe;

/// <summary>
/// Learns byte-level merges (Sennrich et al. 2016): the most frequent adjacent pair becomes a token, over and over. Digits are never
/// merged, so that every number is spelled the same way.
/// </summary>
internal static class BpeTrainer
{
    /// <summary>Learns merges until the vocabulary is full.</summary>
    /// <param name="texts">What to learn from.</param>
    /// <param name="vocabularySize">Special tokens, 256 bytes and merges together.</param>
    /// <exception cref="ArgumentException">The texts don't have enough different pairs.</exception>
    public static BpeVocabulary Train(IEnumerable<string> texts, int vocabularySize)
    {
        var words = CountWords(texts);
        var vocabulary = new BpeVocabulary();
        while (vocabulary.Size < vocabularySize)
        {
            var best =
                MostFrequentPair(words, vocabulary)
                ?? throw new ArgumentException(
                    $"The texts give only {vocabulary.Size} tokens; give more text or ask for fewer than {vocabularySize}.",
                    nameof(texts)
                );
            var merged = vocabulary.AddMerge(best.Left, best.Right);
            foreach (var word in words)
            {
                Merge(word.Ids, best, merged);
            }
        }

        return vocabulary;
    }

    private static List<(List<int> Ids, int Count)> CountWords(IEnumerable<string> texts)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var word in texts.SelectMany(PreTokenizer.Split))
        {
            counts[word] = counts.GetValueOrDefault(word) + 1;
        }

        return
        [
            .. counts
                .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => (Encoding.UTF8.GetBytes(pair.Key).Select(BpeVocabulary.IdOfByte).ToList(), pair.Value)),
        ];
    }

    private static (int Left, int Right)? MostFrequentPair(List<(List<int> Ids, int Count)> words, BpeVocabulary vocabulary)
    {
        var counts = new Dictionary<(int Left, int Right), long>();
        foreach (var (ids, count) in words)
        {
            for (var i = 0; i + 1 < ids.Count; i++)
            {
                if (!vocabulary.EndsInDigit(ids[i]) && !vocabulary.EndsInDigit(ids[i + 1]))
                {
                    counts[(ids[i], ids[i + 1])] = counts.GetValueOrDefault((ids[i], ids[i + 1])) + count;
                }
            }
        }

        return counts.Count == 0 ? null : counts.MaxBy(pair => (pair.Value, -pair.Key.Left, -pair.Key.Right)).Key;
    }

    private static void Merge(List<int> ids, (int Left, int Right) pair, int merged)
    {
        for (var i = 0; i + 1 < ids.Count; i++)
        {
            if (ids[i] == pair.Left && ids[i + 1] == pair.Right)
            {
                ids[i] = merged;
                ids.RemoveAt(i + 1);
            }
        }
    }
}
