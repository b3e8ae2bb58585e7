using System.Text.Json;
using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Tokenization;

/// <summary>
/// What the sections <c>normalizer</c> and <c>pre_tokenizer</c> of a tokenizer.json do to text, as far as the models of the known families
/// do.
/// </summary>
internal sealed record TextPreparation
{
    private const string Boundary = "\u2581";

    /// <summary>Patterns of byte-level models, applied in order; null for models of pieces.</summary>
    public IReadOnlyList<string>? Patterns { get; private set; }

    /// <summary>Byte-level: whether text that begins without a space gets one.</summary>
    public bool AddsPrefixSpace { get; private set; }

    /// <summary>Byte-level: whether text is brought into Unicode normalization form C.</summary>
    public bool NormalizesToNfc { get; private set; }

    /// <summary>Pieces: when a boundary is put before text.</summary>
    public PrefixRule Prefix { get; private set; }

    /// <summary>Pieces: whether text is cut before each boundary.</summary>
    public bool SplitsAtBoundaries { get; private set; }

    private bool ShowsSpaces { get; set; }

    /// <summary>Reads both sections.</summary>
    /// <exception cref="ModelLoadException">They ask for something that is not done.</exception>
    public static TextPreparation Read(JsonSettings file)
    {
        var preparation = new TextPreparation();
        foreach (var normalizer in Parts(file, "normalizer", "normalizers"))
        {
            preparation.AddNormalizer(normalizer);
        }

        var patterns = new List<string>();
        var isByteLevel = false;
        foreach (var part in Parts(file, "pre_tokenizer", "pretokenizers"))
        {
            if (isByteLevel)
            {
                throw part.Unsupported("type", part.Find("type")!.Value, "nothing behind ByteLevel");
            }

            isByteLevel = preparation.AddPreTokenizer(part, patterns);
        }

        if (isByteLevel)
        {
            preparation.Patterns = patterns;
        }

        var isConsistent = isByteLevel
            ? !preparation.ShowsSpaces && preparation.Prefix == PrefixRule.Never
            : preparation.ShowsSpaces && !preparation.NormalizesToNfc && patterns.Count == 0;
        return isConsistent
            ? preparation
            : throw new ModelLoadException(
                $"{file.Path}: \"normalizer\" and \"pre_tokenizer\" together are of no known kind. Supported: byte-level BPE (Split, "
                    + "Digits, ByteLevel; NFC) and BPE over pieces (Replace or Metaspace with '▁')."
            );
    }

    private static IEnumerable<JsonSettings> Parts(JsonSettings file, string name, string listName)
    {
        if (file.Section(name) is not { } section)
        {
            return [];
        }

        return section.String("type") == "Sequence" ? section.Sections(listName) : [section];
    }

    private void AddNormalizer(JsonSettings part)
    {
        switch (part.String("type"))
        {
            case "NFC":
                NormalizesToNfc = true;
                break;
            case "Prepend" when part.String("prepend") == Boundary:
                Prefix = PrefixRule.Always;
                break;
            case "Replace" when part.String("content") == Boundary && Text(part.Section("pattern"), "String") == " ":
                ShowsSpaces = true;
                break;
            default:
                throw part.Unsupported(
                    "type",
                    part.Find("type") ?? throw part.Missing("type"),
                    "NFC (byte-level BPE), or Prepend and Replace as Llama 2, Mistral and Gemma have them"
                );
        }
    }

    /// <summary>Takes in one step; true if it is ByteLevel.</summary>
    private bool AddPreTokenizer(JsonSettings part, List<string> patterns)
    {
        switch (part.String("type"))
        {
            case "ByteLevel" when patterns.Count == 0 || !part.Bool("add_prefix_space", false):
                AddsPrefixSpace = part.Bool("add_prefix_space", false);
                if (part.Bool("use_regex", true))
                {
                    patterns.Add(WordSplitter.Gpt2Pattern);
                }

                return true;
            case "Split" when part.String("behavior") == "Isolated" && Text(part.Section("pattern"), "Regex") is { } pattern:
                patterns.Add(pattern);
                break;
            case "Split" when ShowsSpaces && Text(part.Section("pattern"), "String") == " ":
                break; // Gemma cuts at spaces, of which its normalizer has left none
            case "Digits":
                patterns.Add(part.Bool("individual_digits", false) ? @"\p{N}" : @"\p{N}+");
                break;
            case "Metaspace" when part.String("replacement") == Boundary:
                ReadMetaspace(part);
                break;
            default:
                throw part.Unsupported(
                    "type",
                    part.Find("type") ?? throw part.Missing("type"),
                    "ByteLevel, behind Split (a Regex, Isolated) or Digits, or Metaspace with '▁' (byte-level and SentencePiece BPE)"
                );
        }

        return false;
    }

    private void ReadMetaspace(JsonSettings part)
    {
        ShowsSpaces = true;
        SplitsAtBoundaries = part.Bool("split", true);
        Prefix = part.String("prepend_scheme") switch
        {
            null => part.Bool("add_prefix_space", true) ? PrefixRule.AlwaysUnlessSpace : PrefixRule.Never,
            "always" => PrefixRule.AlwaysUnlessSpace,
            "first" => PrefixRule.FirstUnlessSpace,
            "never" => PrefixRule.Never,
            _ => throw part.Unsupported("prepend_scheme", part.Find("prepend_scheme")!.Value, "always, first or never"),
        };
    }

    private static string? Text(JsonSettings? section, string key) => section?.String(key);
}
