using System.Text;
using Dsde.Engine.Models;

namespace Dsde.Engine.Tokenization;

/// <summary>A draft with another vocabulary proposes silent garbage: ids are compared by the bytes they stand for.</summary>
internal static class VocabularyComparer
{
    /// <summary>
    /// Ids that stand for something, from 0 to this, without it. Those behind only pad the model's matrices, differently in models of one
    /// family (Qwen2.5 has 151,936 rows at 0.5 billion parameters and 152,064 at 7 billion); the engine leaves their columns out of all
    /// logits, so that they are neither proposed nor sampled. Ids that end the output count even if the tokenizer does not know them.
    /// </summary>
    public static int CountTokens(ModelFolder folder, ModelTokenizer tokenizer)
    {
        var ends = folder.Config.EosTokenIds.Where(id => id < folder.Config.VocabularySize).Select(id => id + 1).DefaultIfEmpty(0).Max();
        return Math.Max(CountRows(folder, tokenizer), ends);
    }

    /// <summary>Makes sure that every id up to <see cref="CountTokens"/> of the target stands for the same bytes to both.</summary>
    /// <exception cref="ModelLoadException">The vocabularies differ; the message says where first, and in how many ids.</exception>
    public static void RequireSame(ModelFolder targetFolder, ModelTokenizer target, ModelFolder draftFolder, ModelTokenizer draft)
    {
        var models = $"Target {targetFolder.Path} and draft {draftFolder.Path}";
        var different = Enumerable
            .Range(0, Math.Max(CountRows(targetFolder, target), CountRows(draftFolder, draft)))
            .Where(id => !IsSame(target, draft, id))
            .ToList();
        if (different.Count > 0)
        {
            throw new ModelLoadException(
                $"{models} have different vocabularies: {different.Count} ids differ, first {different[0]}, which is "
                    + $"'{Show(target, different[0])}' to the target and "
                    + $"'{Show(draft, different[0])}' to the draft. Use a draft of the target's own family."
            );
        }

        var count = CountTokens(targetFolder, target);
        if (draftFolder.Config.VocabularySize < count)
        {
            throw new ModelLoadException(
                $"{models} have vocabularies of {count} and {draftFolder.Config.VocabularySize} tokens. Use a draft of the target's "
                    + "own family."
            );
        }
    }

    /// <summary>Ids of the tokenizer that the model has a row for.</summary>
    private static int CountRows(ModelFolder folder, ModelTokenizer tokenizer) =>
        Math.Min(tokenizer.VocabularySize, folder.Config.VocabularySize);

    private static bool IsSame(ModelTokenizer target, ModelTokenizer draft, int id) => target.BytesOf(id).SequenceEqual(draft.BytesOf(id));

    private static string Show(ModelTokenizer tokenizer, int id) =>
        tokenizer.BytesOf(id) is { Length: > 0 } bytes ? Encoding.UTF8.GetString(bytes) : "nothing";
}
