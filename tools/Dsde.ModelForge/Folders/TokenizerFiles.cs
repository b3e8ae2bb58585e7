using System.Text.Json.Nodes;
using Dsde.ModelForge.Bpe;

namespace Dsde.ModelForge.Folders;

/// <summary>Writes tokenizer.json and tokenizer_config.json of a model folder.</summary>
internal static class TokenizerFiles
{
    private const string ChatMl =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% "
        + "endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    public static void Write(string folder, BpeVocabulary vocabulary, int contextLength)
    {
        JsonFiles.Write(Path.Combine(folder, "tokenizer.json"), Tokenizer(vocabulary));
        JsonFiles.Write(
            Path.Combine(folder, "tokenizer_config.json"),
            new JsonObject
            {
                ["tokenizer_class"] = "PreTrainedTokenizerFast",
                ["add_bos_token"] = false,
                ["eos_token"] = SpecialTokens.Texts[SpecialTokens.TurnEnd],
                ["pad_token"] = SpecialTokens.Texts[SpecialTokens.Padding],
                ["model_max_length"] = contextLength,
                ["clean_up_tokenization_spaces"] = false,
                ["chat_template"] = ChatMl,
            }
        );
    }

    private static JsonObject Tokenizer(BpeVocabulary vocabulary)
    {
        var ids = new JsonObject();
        for (var id = 0; id < vocabulary.Size; id++)
        {
            ids.Add(id < SpecialTokens.Texts.Length ? SpecialTokens.Texts[id] : Text(id), id);
        }

        var special = SpecialTokens.Texts.Select(
            (text, id) =>
                (JsonNode)
                    new JsonObject
                    {
                        ["id"] = id,
                        ["content"] = text,
                        ["single_word"] = false,
                        ["lstrip"] = false,
                        ["rstrip"] = false,
                        ["normalized"] = false,
                        ["special"] = true,
                    }
        );
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray([.. special]),
            ["normalizer"] = null,
            ["pre_tokenizer"] = ByteLevel(),
            ["post_processor"] = null,
            ["decoder"] = ByteLevel(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = false,
                ["vocab"] = ids,
                ["merges"] = new JsonArray([.. vocabulary.Merges.Select(merge => (JsonNode)$"{Text(merge.Left)} {Text(merge.Right)}")]),
            },
        };

        string Text(int id) => ByteAlphabet.ToText(vocabulary.BytesOf(id));
    }

    private static JsonObject ByteLevel() =>
        new()
        {
            ["type"] = "ByteLevel",
            ["add_prefix_space"] = false,
            ["trim_offsets"] = true,
            ["use_regex"] = true,
        };
}
