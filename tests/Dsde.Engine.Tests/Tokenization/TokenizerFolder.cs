using System.Text;
using System.Text.Json;
using CsCheck;
using Dsde.Engine.Models;
using Dsde.Engine.Tokenization;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>A folder of a tiny model in which tests put the tokenizer files they need.</summary>
internal sealed class TokenizerFolder : IDisposable
{
    private readonly ScratchFolder _folder = new("tokenizer");

    public TokenizerFolder(int vocabularySize = 2000) =>
        TestModelFolder.Write(
            Path,
            new TestModelShape
            {
                Layers = 1,
                Hidden = 8,
                Heads = 1,
                KvHeads = 1,
                Intermediate = 8,
                Vocabulary = vocabularySize,
            }
        );

    public string Path => _folder.Path;

    /// <summary>The files that this project's tests have of SentencePiece.</summary>
    public static string Fixture(string name) => System.IO.Path.Combine(AppContext.BaseDirectory, "Tokenization", "Fixtures", name);

    public void Dispose() => _folder.Dispose();

    public ModelTokenizer Load() => ModelTokenizer.Load(ModelFolder.Open(Path));

    /// <summary>Writes tokenizer.json; null leaves a section out.</summary>
    public TokenizerFolder WithJson(
        object model,
        object? preTokenizer = null,
        object? normalizer = null,
        object? postProcessor = null,
        object[]? added = null
    )
    {
        TestModelFolder.WriteJson(
            Path,
            "tokenizer.json",
            new
            {
                added_tokens = added ?? [],
                normalizer,
                pre_tokenizer = preTokenizer,
                post_processor = postProcessor,
                model,
            }
        );
        TestModelFolder.WriteJson(Path, "tokenizer_config.json", new { });
        return this;
    }

    /// <summary>Writes tokenizer_config.json.</summary>
    public TokenizerFolder WithSettings(object settings)
    {
        TestModelFolder.WriteJson(Path, "tokenizer_config.json", settings);
        return this;
    }

    /// <summary>Puts a SentencePiece model in the place of tokenizer.json.</summary>
    public TokenizerFolder WithPieces(string fixture)
    {
        File.Delete(_folder.PathOf("tokenizer.json"));
        File.Delete(_folder.PathOf("tokenizer_config.json"));
        File.Copy(Fixture(fixture + ".model"), _folder.PathOf("tokenizer.model"), overwrite: true);
        return this;
    }

    /// <summary>What spm_encode and spm_decode say of texts.</summary>
    public static IEnumerable<(string Text, int[] Ids, string Decoded)> Encodings(string fixture)
    {
        using var cases = JsonDocument.Parse(File.ReadAllText(Fixture(fixture + ".json")));
        foreach (var item in cases.RootElement.EnumerateArray())
        {
            yield return (
                item.GetProperty("text").GetString() ?? "",
                [.. item.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())],
                item.GetProperty("decoded").GetString() ?? ""
            );
        }
    }

    /// <summary>Generates one of some texts.</summary>
    public static Gen<string> AnyOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    /// <summary>Texts of ids, special tokens by their name, as one string.</summary>
    public static string Show(ModelTokenizer tokenizer, IEnumerable<int> ids) =>
        Encoding.UTF8.GetString([.. ids.SelectMany(id => tokenizer.BytesOf(id).ToArray())]);

    public static object Added(int id, string content, bool special) =>
        new
        {
            id,
            content,
            special,
            single_word = false,
            lstrip = false,
            rstrip = false,
            normalized = false,
        };
}
