using Dsde.ModelForge.Bpe;

namespace Dsde.ModelForge.Corpus;

/// <summary>Token ids of documents as the models see them: plain text, or a chat in ChatML.</summary>
internal sealed class TextFormat(BpeEncoder encoder)
{
    /// <summary>Prompt, continuation and end.</summary>
    public List<int> Encode(Document document)
    {
        var ids = EncodePrompt(document);
        ids.AddRange(encoder.Encode(document.Completion));
        if (document.IsChat)
        {
            ids.Add(SpecialTokens.TurnEnd);
            ids.AddRange(encoder.Encode("\n"));
        }

        ids.Add(SpecialTokens.TextEnd);
        return ids;
    }

    /// <summary>The prompt alone.</summary>
    public List<int> EncodePrompt(Document document)
    {
        if (!document.IsChat)
        {
            return [.. encoder.Encode(document.Turns[0])];
        }

        var ids = new List<int>();
        for (var turn = 0; turn < document.Turns.Count; turn++)
        {
            AddTurnStart(ids, turn % 2 == 0 ? "user" : "assistant");
            ids.AddRange(encoder.Encode(document.Turns[turn]));
            ids.Add(SpecialTokens.TurnEnd);
            ids.AddRange(encoder.Encode("\n"));
        }

        AddTurnStart(ids, "assistant");
        return ids;
    }

    private void AddTurnStart(List<int> ids, string role)
    {
        ids.Add(SpecialTokens.TurnStart);
        ids.AddRange(encoder.Encode(role + "\n"));
    }
}
