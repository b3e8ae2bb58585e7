using System.Text;

namespace Dsde.ModelForge.Bpe;

/// <summary>Text to token ids, remembering words: a corpus has few different ones.</summary>
internal sealed class BpeEncoder
{
    private readonly Dictionary<string, int[]> _words = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Left, int Right), int> _merged;

    public BpeEncoder(BpeVocabulary vocabulary)
    {
        _merged = vocabulary
            .Merges.Select((pair, index) => (pair, index))
            .ToDictionary(item => item.pair, item => BpeVocabulary.FirstMerge + item.index);
    }

    /// <summary>Ids of a text; the texts of special tokens are plain text here.</summary>
    public IEnumerable<int> Encode(string text) => PreTokenizer.Split(text).SelectMany(EncodeWord);

    private int[] EncodeWord(string word)
    {
        if (!_words.TryGetValue(word, out var known))
        {
            var ids = Encoding.UTF8.GetBytes(word).Select(BpeVocabulary.IdOfByte).ToList();
            while (EarliestMerge(ids) is { } merge)
            {
                ids[merge.Index] = merge.Id;
                ids.RemoveAt(merge.Index + 1);
            }

            known = [.. ids];
            _words.Add(word, known);
        }

        return known;
    }

    private (int Index, int Id)? EarliestMerge(List<int> ids)
    {
        (int Index, int Id)? best = null;
        for (var i = 0; i + 1 < ids.Count; i++)
        {
            if (_merged.TryGetValue((ids[i], ids[i + 1]), out var id) && (best is null || id < best.Value.Id))
            {
                best = (i, id);
            }
        }

        return best;
    }
}
