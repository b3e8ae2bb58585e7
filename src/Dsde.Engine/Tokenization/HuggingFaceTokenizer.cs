using System.Text;
using System.Text.RegularExpressions;
using Dsde.Engine.Models;
using Dsde.Engine.Scheduling;
using Microsoft.ML.Tokenizers;

namespace Dsde.Engine.Tokenization;

/// <summary>Byte-level BPE of a Hugging Face folder. Safe for concurrent use.</summary>
internal sealed class HuggingFaceTokenizer
{
    private readonly BpeTokenizer _bpe;
    private readonly TokenizerDefinition _definition;
    private readonly byte[][] _bytes;

    private HuggingFaceTokenizer(TokenizerDefinition definition, BpeTokenizer bpe, byte[][] bytes, ChatTemplate chatTemplate)
    {
        _definition = definition;
        _bpe = bpe;
        _bytes = bytes;
        ChatTemplate = chatTemplate;
    }

    /// <summary>Ids from 0 to this, without it, stand for something.</summary>
    public int VocabularySize => _bytes.Length;

    /// <summary>How chats become prompts.</summary>
    public ChatTemplate ChatTemplate { get; }

    /// <summary>Ids put before every plain prompt.</summary>
    public IReadOnlyList<int> PrefixIds => _definition.PrefixIds;

    /// <summary>Reads tokenizer.json and tokenizer_config.json.</summary>
    /// <exception cref="ModelLoadException">The tokenizer is missing, broken, of another kind, or larger than the model's vocabulary.</exception>
    public static HuggingFaceTokenizer Load(ModelFolder folder)
    {
        var definition = TokenizerFile.Read(folder.Path);
        var bytes = BytesById(folder, definition);
        var bpe = BpeTokenizer.Create(new BpeOptions(definition.Vocabulary)
        {
            Merges = definition.Merges,
            ByteLevel = true,
            PreTokenizer = new RegexPreTokenizer(new Regex(definition.PreTokenizerPattern, RegexOptions.Compiled | RegexOptions.CultureInvariant), null),
        });
        return new HuggingFaceTokenizer(definition, bpe, bytes, ChatTemplate.Load(folder, definition));
    }

    /// <summary>Ids of a text. Texts of special tokens in it are plain text: only templates put special ids into prompts.</summary>
    public IReadOnlyList<int> Encode(string text)
    {
        var prepared = _definition.NormalizesToNfc ? text.Normalize(NormalizationForm.FormC) : text;
        if (_definition.AddsPrefixSpace && prepared.Length > 0 && !char.IsWhiteSpace(prepared[0]))
        {
            prepared = " " + prepared;
        }

        return _bpe.EncodeToIds(prepared);
    }

    /// <summary>What a token adds to the text: nothing for special tokens and for ids without a token.</summary>
    public ReadOnlySpan<byte> TextBytesOf(int id) => id < _bytes.Length && !IsSpecial(id) ? _bytes[id] : [];

    /// <summary>What a token stands for, special tokens by their name.</summary>
    public ReadOnlySpan<byte> BytesOf(int id) => _bytes[id];

    /// <summary>Whether an id is a marker that never shows in the text.</summary>
    public bool IsSpecial(int id) => _definition.AddedTokens.TryGetValue(id, out var added) && added.IsSpecial;

    /// <summary>Assembles the text of one output.</summary>
    public ITextAssembler CreateAssembler(IReadOnlyList<string> stopStrings) => new TextAssembler(this, stopStrings);

    private static byte[][] BytesById(ModelFolder folder, TokenizerDefinition definition)
    {
        var size = definition.Vocabulary.Values.Concat(definition.AddedTokens.Keys).DefaultIfEmpty(-1).Max() + 1;
        var file = Path.Combine(folder.Path, TokenizerFile.FileName);
        if (size > folder.Config.VocabularySize)
        {
            throw new ModelLoadException($"{file} has ids up to {size - 1}, but config.json gives the model {folder.Config.VocabularySize} tokens. The two belong to different models.");
        }

        var bytes = Enumerable.Repeat(Array.Empty<byte>(), size).ToArray();
        foreach (var (text, id) in definition.Vocabulary)
        {
            if (!definition.AddedTokens.ContainsKey(id))
            {
                bytes[id] = ByteAlphabet.TryToBytes(text)
                    ?? throw new ModelLoadException($"{file}: token {id} ('{text}') is not in the byte alphabet. Only byte-level BPE is read.");
            }
        }

        foreach (var (id, (text, _)) in definition.AddedTokens)
        {
            bytes[id] = Encoding.UTF8.GetBytes(text);
        }

        return bytes;
    }
}
