using System.Text.Json.Nodes;
using Dsde.Engine.Loading;
using Dsde.Testing;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>A tokenizer may have tokens that the model has no row for, as an added padding token often is: until one is used.</summary>
public sealed class ExtraTokenTests : IDisposable
{
    private readonly TestPair _models = new();

    public void Dispose() => _models.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_padding_token_without_a_row_is_told_and_changes_nothing(bool draftHasIt)
    {
        var requests = Prompts(4).Select(prompt => Greedy(prompt, 20)).ToList();
        IEnumerable<IReadOnlyList<int>> expected;
        await using (var engine = Load(_models.Target, _models.Draft))
        {
            expected = (await engine.GenerateAllAsync(requests)).Select(result => result.TokenIds).ToList();
        }

        AddToken(draftHasIt ? _models.Draft : _models.Target, 300, "<pad>");
        AddToken(draftHasIt ? _models.Draft : _models.Target, 301, "<extra>");

        await using var changed = Load(_models.Target, _models.Draft);
        (await changed.GenerateAllAsync(requests)).Select(result => result.TokenIds).ShouldBe(expected);
        changed.Description.VocabularySize.ShouldBe(300);
        changed
            .Description.Warnings.ShouldHaveSingleItem()
            .ShouldContain("adds 2 tokens that the model has no row for (300 rows), the first '<pad>' (300)");
    }

    [Fact]
    public async Task A_prompt_with_such_a_token_is_refused_by_its_id()
    {
        AddToken(_models.Target, 300, "<pad>");
        await using var engine = Load(_models.Target, null, "autoregressive");
        var prompt = engine.PromptEncoder.Encode("a<pad>");

        var refusal = await Should.ThrowAsync<ArgumentException>(() =>
            engine.GenerateAsync(Greedy(prompt, 1), TestContext.Current.CancellationToken)
        );

        refusal.Message.ShouldContain("Token id 300 is not in the vocabulary; ids go from 0 to 299");
    }

    [Theory]
    [InlineData(1324)]
    [InlineData(int.MaxValue)]
    public void A_token_far_behind_the_last_row_belongs_to_another_model(int id)
    {
        AddToken(_models.Target, id, "<pad>");

        Should.Throw<ModelLoadException>(() => ModelDescription.Read(_models.Target)).Message.ShouldContain($"has ids up to {id}");
    }

    [Fact]
    public void A_vocabulary_that_is_larger_than_the_model_belongs_to_another()
    {
        var path = Path.Combine(_models.Target, "config.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"vocab_size\":300", "\"vocab_size\":200", StringComparison.Ordinal));

        Should.Throw<ModelLoadException>(() => ModelDescription.Read(_models.Target)).Message.ShouldContain("belong to different models");
    }

    private static void AddToken(string folder, int id, string text)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        var tokenizer = JsonNode.Parse(File.ReadAllText(path))!;
        tokenizer["added_tokens"]!
            .AsArray()
            .Add(
                new JsonObject
                {
                    ["id"] = id,
                    ["content"] = text,
                    ["special"] = true,
                }
            );
        File.WriteAllText(path, tokenizer.ToJsonString());
    }
}
