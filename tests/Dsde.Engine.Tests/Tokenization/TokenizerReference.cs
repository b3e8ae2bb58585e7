using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dsde.Engine.Tokenization;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>
/// What the library of who made a tokenizer's format makes of texts: SentencePiece's of folders with tokenizer.model alone, Hugging Face's
/// of others.
/// </summary>
internal sealed class TokenizerReference(TokenizerFolder folder, ITestOutputHelper output)
{
    private const string Python = "/usr/bin/python3"; // whose packages are Debian's

    /// <summary>How many texts are compared: DSDE_TEST_TEXTS.</summary>
    public static int TextCount { get; } =
        Environment.GetEnvironmentVariable("DSDE_TEST_TEXTS") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : 2000;

    private bool IsOfPieces => File.Exists(PathOf("tokenizer.model")) && !File.Exists(PathOf("tokenizer.json"));

    /// <summary>Folders of tokenizers that are tried besides: those in the one that DSDE_TEST_TOKENIZERS names.</summary>
    public static IEnumerable<string> NamedFolders() =>
        Environment.GetEnvironmentVariable("DSDE_TEST_TOKENIZERS") is { Length: > 0 } named ? Directory.GetDirectories(named) : [];

    /// <summary>Puts the tokenizer of another folder in the place of what there is.</summary>
    public void CopyFrom(string other)
    {
        foreach (var file in Directory.EnumerateFiles(folder.Path, "tokenizer*"))
        {
            File.Delete(file);
        }

        foreach (var file in Directory.EnumerateFiles(other, "tokenizer*"))
        {
            File.Copy(file, PathOf(Path.GetFileName(file)), overwrite: true);
        }
    }

    /// <summary>Ids of texts, and the texts that these are decoded to.</summary>
    public async Task<(int[][] Ids, string[] Decoded)> EncodeAsync(string[] texts)
    {
        await File.WriteAllTextAsync(PathOf("texts.json"), JsonSerializer.Serialize(texts), TestContext.Current.CancellationToken);
        if (IsOfPieces)
        {
            await RunAsync(Python, TokenizerFolder.Fixture("encode.py"), folder.Path);
        }
        else
        {
            var packages = (await RunAsync(Repository.PathOf("eng", "npm-packages.sh"), "tokenizers")).Trim();
            await RunAsync("node", Path.Combine(packages, "encode.mjs"), folder.Path);
        }

        return (await ReadAsync<int[][]>("ids.json"), await ReadAsync<string[]>("decoded.json"));
    }

    /// <summary>Generated texts have the library's ids, and come back as from the library.</summary>
    public async Task CompareAsync(string name)
    {
        string[] texts = [.. TokenizerTexts.Generate(TextCount, seed: 20)];
        var (expected, decoded) = await EncodeAsync(texts);
        var tokenizer = folder.Load();

        var differ = new List<string>();
        for (var i = 0; i < texts.Length; i++)
        {
            var ids = IsOfPieces ? tokenizer.Encode(texts[i]) : tokenizer.EncodeWithSpecialTokens(texts[i]);
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
        differ.Count.ShouldBe(0, name + "\n" + string.Join('\n', differ.OrderBy(line => line.Length).Take(20)));
    }

    private static string Show(string text) => JsonSerializer.Serialize(text);

    private async Task<T> ReadAsync<T>(string file) =>
        JsonSerializer.Deserialize<T>(await File.ReadAllTextAsync(PathOf(file), TestContext.Current.CancellationToken))!;

    private string PathOf(string file) => Path.Combine(folder.Path, file);

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
