using Dsde.Testing;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>
/// Models of one family pad their matrices differently; ids without a token are neither proposed nor sampled.
/// </summary>
public sealed class PaddedVocabularyTests : IDisposable
{
    private readonly ScratchFolder _folder = new("padded");

    /// <summary>Weights depend on their names and come row by row, so that the padded model is the other with rows behind it.</summary>
    public PaddedVocabularyTests()
    {
        TestModelFolder.Write(Plain, TestPair.TargetShape);
        TestModelFolder.Write(Padded, TestPair.TargetShape with { Vocabulary = 384 });
    }

    private string Plain => _folder.PathOf("plain");

    private string Padded => _folder.PathOf("padded");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true, 0f)]
    [InlineData(false, 0f)]
    [InlineData(true, 1f)]
    [InlineData(false, 1f)]
    public async Task The_same_model_under_another_padding_accepts_everything(bool targetIsPadded, float temperature)
    {
        await using var engine = Load(targetIsPadded ? Padded : Plain, targetIsPadded ? Plain : Padded, "static:4", batchSize: 3);

        var results = await engine.GenerateAllAsync(Prompts(10).Select((prompt, i) => Sampled(prompt, 40, seed: (ulong)i, temperature)));

        engine.Description.VocabularySize.ShouldBe(300);
        results.Sum(result => result.Trace.Proposed).ShouldBeGreaterThan(100);
        results.Sum(result => result.Trace.Iterations.Accepted.Sum()).ShouldBe(results.Sum(result => result.Trace.Proposed));
        results.SelectMany(result => result.TokenIds).ShouldAllBe(id => id < 300);
    }

    [Fact]
    public async Task Padding_changes_no_output()
    {
        await using var plain = Load(Plain, null, "autoregressive");
        await using var padded = Load(Padded, null, "autoregressive");
        var requests = Prompts(6).Select((prompt, i) => Sampled(prompt, 30, seed: (ulong)i)).ToList();

        var (expected, actual) = (await plain.GenerateAllAsync(requests), await padded.GenerateAllAsync(requests));

        actual.Select(result => result.TokenIds).ShouldBe(expected.Select(result => result.TokenIds));
    }
}
