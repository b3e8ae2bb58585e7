using System.Text;
using Dsde.Engine.Models;

namespace Dsde.Engine.Tokenization;

/// <summary>A draft with another vocabulary proposes silent garbage: ids are compared by the bytes they stand for.</summary>
internal static class VocabularyComparer
{
    /// <exception cref="ModelLoadException">The vocabularies differ; the message says where first, and in how many ids.</exception>
    public static void RequireSame(ModelFolder targetFolder, HuggingFaceTokenizer target, ModelFolder draftFolder, HuggingFaceTokenizer draft)
    {
        var models = $"Target {targetFolder.Path} and draft {draftFolder.Path}";
        if (targetFolder.Config.VocabularySize != draftFolder.Config.VocabularySize)
        {
            throw new ModelLoadException(
                $"{models} have vocabularies of {targetFolder.Config.VocabularySize} and {draftFolder.Config.VocabularySize} tokens. Use a draft of the target's own family.");
        }

        var different = Enumerable.Range(0, Math.Max(target.VocabularySize, draft.VocabularySize)).Where(id => !IsSame(target, draft, id)).ToList();
        if (different.Count > 0)
        {
            throw new ModelLoadException(
                $"{models} have different vocabularies: {different.Count} ids differ, first {different[0]}, which is '{Show(target, different[0])}' to the target and "
                + $"'{Show(draft, different[0])}' to the draft. Use a draft of the target's own family.");
        }
    }

    private static bool IsSame(HuggingFaceTokenizer target, HuggingFaceTokenizer draft, int id) =>
        id < target.VocabularySize && id < draft.VocabularySize && target.BytesOf(id).SequenceEqual(draft.BytesOf(id)) && target.IsSpecial(id) == draft.IsSpecial(id);

    private static string Show(HuggingFaceTokenizer tokenizer, int id) => id < tokenizer.VocabularySize ? Encoding.UTF8.GetString(tokenizer.BytesOf(id)) : "nothing";
}
