using System.Diagnostics;
using Dsde.Engine.Tokenization;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>A broken file is a message that names it, never another exception, a crash or a wait.</summary>
public sealed class CorruptTokenizerTests : IDisposable
{
    private const int Cases = 250;

    private readonly TokenizerFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    public void Json(string file) => Check(file, () => _folder.Load());

    [Fact]
    public void Pieces()
    {
        _folder.WithPieces("llama2");
        Check("tokenizer.model", () => _folder.Load());
    }

    [Theory]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}}")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":1,\"b\":1},\"merges\":[]}}")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":99999999999},\"merges\":[]}}")]
    [InlineData(
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":2147483647},\"merges\":[]},"
            + "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"▁\"}}"
    )]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":1},\"merges\":[\"a b\"]}}")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":1},\"merges\":[[\"a\"]]}}")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":1},\"merges\":[]},\"added_tokens\":[{\"id\":-5,\"content\":\"x\"}]}")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":[],\"merges\":[]}}")]
    [InlineData("{\"model\":[]}")]
    [InlineData("[]")]
    public void Json_of_another_shape(string json)
    {
        File.WriteAllText(Path.Combine(_folder.Path, "tokenizer.json"), json);

        Should.Throw<ModelLoadException>(_folder.Load).Message.ShouldContain("tokenizer.json");
    }

    /// <summary>Bits flipped and ends cut off at random places, always the same ones.</summary>
    private void Check(string name, Func<ModelTokenizer> load)
    {
        var path = Path.Combine(_folder.Path, name);
        var bytes = File.ReadAllBytes(path);
        var random = new Random(11);
        var (refused, time) = (0, Stopwatch.StartNew());
        for (var i = 0; i < Cases; i++)
        {
            var broken = bytes.ToArray();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
            {
                broken[random.Next(broken.Length)] ^= (byte)(1 << random.Next(8));
            }

            File.WriteAllBytes(path, i % 5 == 0 ? broken[..random.Next(broken.Length)] : broken);
            try
            {
                var tokenizer = load();
                tokenizer.Decode(tokenizer.Encode("The quick brown fox, größer 🙂  42"));
            }
            catch (ModelLoadException exception)
            {
                exception.Message.ShouldContain(_folder.Path);
                refused++;
            }
        }

        refused.ShouldBeGreaterThan(Cases / 5);
        time.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60));
    }
}
