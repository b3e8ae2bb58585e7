using Dsde.Engine.Loading;
using Dsde.Engine.Tests.TestModels;
using Dsde.Grammars;
using Dsde.Testing;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>An output ends at the tokenizer's own end, too, where config.json and generation_config.json name another one.</summary>
public sealed class NamedEndTests : IDisposable
{
    private readonly TestPair _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public async Task An_output_ends_at_the_end_that_only_tokenizer_config_names()
    {
        GenerationRequest request;
        List<int> whole;
        int end;
        await using (var engine = Load(_models.Target, _models.Draft))
        {
            var requests = Prompts(20).Select(prompt => Greedy(prompt, 20)).ToList();
            var results = await engine.GenerateAllAsync(requests);
            var index = Array.FindIndex(results, result => result.TokenIds.Any(IsNamed));
            (request, whole) = (requests[index], [.. results[index].TokenIds]);
            end = whole.First(IsNamed);
        }

        TestModelFolder.WriteJson(_models.Target, "tokenizer_config.json", new { eos_token = new { content = ((char)end).ToString() } });

        await using var named = Load(_models.Target, _models.Draft);
        var result = await named.GenerateAsync(request, TestContext.Current.CancellationToken);
        result.FinishReason.ShouldBe(FinishReason.Stop);
        result.TokenIds.ShouldBe(whole.Take(whole.IndexOf(end) + 1));
        (await named.GenerateAsync(request with { IgnoreEos = true }, TestContext.Current.CancellationToken)).TokenIds.ShouldBe(whole);
        ModelDescription.Read(_models.Target).EosTokenIds.ShouldContain(end);
    }

    [Theory]
    [InlineData(305)] // the model has 300 rows
    [InlineData(4000)]
    public async Task An_end_that_the_model_has_no_row_for_is_left_out_and_that_is_said(int end)
    {
        TestModelFolder.WriteJson(_models.Target, "generation_config.json", new { eos_token_id = end });

        await using var engine = Load(_models.Target, _models.Draft);
        var request = Greedy([1, 2, 3], 20) with { Grammar = Grammar.Compile(new GrammarDefinition(GrammarKind.Regex, "a(b|c)+d")) };
        var result = await engine.GenerateAsync(request, TestContext.Current.CancellationToken);

        result.Text.ShouldMatch("^a[bc]+d?$");
        var description = ModelDescription.Read(_models.Target);
        description.EosTokenIds.ShouldNotContain(end);
        description.Warnings.ShouldContain(warning =>
            warning.Contains($"outputs end at {end} (\"eos_token_id\")", StringComparison.Ordinal)
        );
    }

    /// <summary>A letter is its own name.</summary>
    private static bool IsNamed(int id) => id is > 32 and < 127;
}
