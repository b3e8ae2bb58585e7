using System.Text;
using Dsde.Engine.Models;
using Dsde.Engine.Tokenization.Chats;
using Dsde.Templates;

namespace Dsde.Engine.Tokenization;

/// <summary>What the engine needs of a model folder's tokenizer, whatever file it comes from. Safe for concurrent use.</summary>
internal sealed class ModelTokenizer
{
    private readonly TokenizerDefinition _definition;
    private readonly byte[][] _bytes;
    private readonly bool[] _special;
    private readonly AddedTokenSplitter _ordinaryTokens;
    private readonly AddedTokenSplitter _allTokens;

    private ModelTokenizer(TokenizerDefinition definition, ChatTemplates chatTemplates, ModelConfig config)
    {
        _definition = definition;
        EndTokenIds = [.. config.EosTokenIds.Union(FindNamedEnd(definition)).Where(id => id < config.VocabularySize)];
        ChatTemplates = chatTemplates;
        var size = definition.Bytes.Keys.Concat(definition.AddedTokens.Keys).DefaultIfEmpty(-1).Max() + 1;
        _bytes = Enumerable.Range(0, size).Select(id => definition.Bytes.GetValueOrDefault(id, [])).ToArray();
        MaxTokenBytes = _bytes
            .Select(bytes => bytes.Length)
            .Concat(definition.AddedTokens.Values.Select(token => Encoding.UTF8.GetByteCount(token.Text)))
            .DefaultIfEmpty(0)
            .Max();
        _special = Enumerable
            .Range(0, size)
            .Select(id => definition.AddedTokens.TryGetValue(id, out var added) && added.IsSpecial)
            .ToArray();
        _ordinaryTokens = new AddedTokenSplitter(
            definition.AddedTokens.Where(token => !token.Value.IsSpecial && !chatTemplates.IsMarker(token.Key))
        );
        _allTokens = new AddedTokenSplitter(definition.AddedTokens);
    }

    /// <summary>Ids from 0 to this, without it, stand for something; those behind only pad a model's matrices.</summary>
    public int VocabularySize => _bytes.Length;

    /// <summary>
    /// Tokens that end an output: those of config.json and generation_config.json, and the one that tokenizer_config.json names, which
    /// may be the only one to end a turn of a chat.
    /// </summary>
    public IReadOnlyList<int> EndTokenIds { get; }

    /// <summary>Bytes of the longest token.</summary>
    public int MaxTokenBytes { get; }

    /// <summary>How chats become prompts.</summary>
    public ChatTemplates ChatTemplates { get; }

    /// <summary>Ids put before every plain prompt.</summary>
    public IReadOnlyList<int> PrefixIds => _definition.PrefixIds;

    /// <summary>One line for people: kind, size, chat template.</summary>
    public string Description => $"{_definition.Kind}, {VocabularySize} tokens, {ChatTemplates.Description}";

    /// <summary>Reads tokenizer.json, or tokenizer.model where there is none, and tokenizer_config.json.</summary>
    /// <exception cref="ModelLoadException">The tokenizer is missing, broken, of another kind, or far larger than the model's
    /// vocabulary.</exception>
    public static ModelTokenizer Load(ModelFolder folder) => Create(folder, TokenizerReader.Read(folder.Path));

    /// <summary>The same without chat templates, for a draft: prompts are the target's.</summary>
    /// <exception cref="ModelLoadException">As for <see cref="Load"/>.</exception>
    public static ModelTokenizer LoadWithoutChats(ModelFolder folder)
    {
        var definition = TokenizerReader.Read(folder.Path);
        RequireFitting(folder, definition);
        return new ModelTokenizer(definition, ChatTemplates.None, folder.Config);
    }

    /// <summary>Takes a tokenizer for a model.</summary>
    /// <exception cref="ModelLoadException">It has far more tokens than the model.</exception>
    public static ModelTokenizer Create(ModelFolder folder, TokenizerDefinition definition)
    {
        RequireFitting(folder, definition);
        return new ModelTokenizer(definition, ChatTemplates.Load(folder, definition), folder.Config);
    }

    /// <summary>Ids of a text. Names of special tokens in it are plain text; other added tokens are found, as Hugging Face does.</summary>
    /// <param name="text">The text.</param>
    /// <param name="isFirst">Whether nothing but <see cref="PrefixIds"/> stands before it.</param>
    public IReadOnlyList<int> Encode(string text, bool isFirst = true) => Encode(_ordinaryTokens.Split(text), isFirst);

    /// <summary>
    /// Ids of a text in which names of special tokens stand for these tokens: what a sender with a template of its own sends.
    /// </summary>
    public IReadOnlyList<int> EncodeWithSpecialTokens(string text) => Encode(_allTokens.Split(text), isFirst: true);

    /// <summary>
    /// Ids of a rendered chat. Special tokens and the template's markers, those of this very chat included, are tokens only where the
    /// template wrote all of them.
    /// </summary>
    public IReadOnlyList<int> Encode(RenderedText chat)
    {
        var written = _allTokens.Split(chat.Value, (_, start, length) => chat.IsFromTemplate(start, length));
        var markers = written.Select(part => part.Id).OfType<int>().ToHashSet();
        return Encode(
            _allTokens.Split(
                chat.Value,
                (id, start, length) =>
                    (!IsSpecial(id) && !markers.Contains(id) && !ChatTemplates.IsMarker(id)) || chat.IsFromTemplate(start, length)
            ),
            isFirst: true
        );
    }

    /// <summary>The whole text of ids, special tokens left out.</summary>
    public string Decode(IEnumerable<int> ids)
    {
        var assembler = CreateAssembler([]);
        foreach (var id in ids)
        {
            assembler.Append(id);
        }

        return _definition.BeginsWithSpace && assembler.Text.StartsWith(' ') ? assembler.Text[1..] : assembler.Text;
    }

    /// <summary>What a token adds to the text: nothing for special tokens and for ids without a token.</summary>
    public ReadOnlySpan<byte> TextBytesOf(int id) => IsSpecial(id) ? [] : BytesOf(id);

    /// <summary>What a token stands for, special tokens by their name; nothing for ids without a token.</summary>
    public ReadOnlySpan<byte> BytesOf(int id) => id < _bytes.Length ? _bytes[id] : [];

    /// <summary>Whether an id is a marker that never shows in the text.</summary>
    public bool IsSpecial(int id) => id < _special.Length && _special[id];

    /// <summary>Assembles the text of one output. It continues a prompt, so a space at its beginning belongs to it.</summary>
    public ITextAssembler CreateAssembler(IReadOnlyList<string> stopStrings) => new TextAssembler(this, stopStrings);

    /// <summary>
    /// People add a token for padding, or some more, and leave the model as it was. That does no harm until such a token stands in a
    /// prompt, and then the prompt is refused.
    /// </summary>
    private static void RequireFitting(ModelFolder folder, TokenizerDefinition definition)
    {
        const int mostExtra = 1024; // a text of each id up to the largest is kept
        var size = folder.Config.VocabularySize;
        var largest = definition.Bytes.Keys.Concat(definition.AddedTokens.Keys).DefaultIfEmpty(0).Max();
        if (largest >= (long)size + mostExtra || definition.Bytes.Keys.Any(id => id >= size && !definition.AddedTokens.ContainsKey(id)))
        {
            throw new ModelLoadException(
                $"{definition.Path} has ids up to {largest}, but config.json gives the model {size} tokens. The two belong to different "
                    + "models."
            );
        }

        var added = definition.AddedTokens.Keys.Where(id => id >= size).Order().ToList();
        if (added.Count > 0)
        {
            folder.Warn(
                $"The tokenizer of {folder.Path} adds {(added.Count == 1 ? "a token" : $"{added.Count} tokens")} that the model has no row "
                    + $"for ({size} rows){(added.Count == 1 ? ": " : ", the first ")}"
                    + $"'{definition.AddedTokens[added[0]].Text}' ({added[0]}). A prompt that contains one is refused."
            );
        }

        foreach (var end in folder.Config.EosTokenIds.Where(id => id >= size))
        {
            folder.Warn(
                $"{folder.Path} says that outputs end at {end} (\"eos_token_id\"), but the model has no row for it ({size} rows), and will "
                    + "never say it."
            );
        }
    }

    private static IEnumerable<int> FindNamedEnd(TokenizerDefinition definition)
    {
        if (definition.Settings.EosToken is not { Length: > 0 } name)
        {
            return [];
        }

        var bytes = Encoding.UTF8.GetBytes(name);
        var added = definition.AddedTokens.Where(token => token.Value.Text == name).Select(token => token.Key).ToList();
        return added.Count > 0
            ? added
            : definition.Bytes.Where(token => token.Value.AsSpan().SequenceEqual(bytes)).Select(token => token.Key);
    }

    private List<int> Encode(IEnumerable<(string Text, int? Id)> parts, bool isFirst)
    {
        var ids = new List<int>();
        foreach (var (part, id) in parts)
        {
            if (id is { } added)
            {
                ids.Add(added);
            }
            else
            {
                ids.AddRange((isFirst && ids.Count == 0 ? _definition.First : _definition.Following).EncodeToIds(part));
            }
        }

        return ids;
    }
}
