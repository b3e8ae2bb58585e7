using Dsde.Engine.Loading;
using Dsde.Engine.Tests.Generation;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Models;

/// <summary>What generation_config.json recommends, as docs/models.md has it.</summary>
public sealed class GenerationDefaultsTests : IDisposable
{
    private readonly ScratchFolder _folder = new("defaults");

    public GenerationDefaultsTests() => TestModelFolder.Write(_folder.Path, new TestModelShape());

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_engine_hands_on_what_the_model_recommends_unless_it_is_told_not_to()
    {
        Write(
            """{"temperature":0.7,"top_p":0.8,"top_k":20,"min_p":0.1,"repetition_penalty":1.05,"max_new_tokens":2048,"do_sample":true}"""
        );

        await using var engine = EngineUnderTest.Load(_folder.Path, null, "autoregressive");
        await using var plain = EngineUnderTest.Load(
            _folder.Path,
            null,
            "autoregressive",
            change: options => options.GenerationConfig = "none"
        );

        engine.Description.Defaults.ShouldBe(
            new GenerationDefaults
            {
                Temperature = 0.7,
                TopP = 0.8,
                TopK = 20,
                MinP = 0.1,
                RepetitionPenalty = 1.05,
                MaxTokens = 2048,
            }
        );
        engine
            .Description.Defaults.ToString()
            .ShouldBe("temperature 0.7, top_p 0.8, top_k 20, min_p 0.1, repetition_penalty 1.05, max_new_tokens 2048");
        plain.Description.Defaults.ShouldBe(GenerationDefaults.None);
    }

    [Theory]
    [InlineData("""{"eos_token_id":3}""")]
    [InlineData("""{"temperature":null,"top_p":null,"top_k":null,"min_p":null,"repetition_penalty":null,"max_new_tokens":null}""")]
    [InlineData("""{"do_sample":true,"num_beams":4,"typical_p":0.5,"max_length":20}""")]
    public void What_is_absent_or_null_or_not_applied_recommends_nothing(string json)
    {
        Write(json);

        ModelDescription.Read(_folder.Path).Defaults.ShouldBe(GenerationDefaults.None);
        ModelDescription.Read(_folder.Path).Defaults.ToString().ShouldBe("none");
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("0")]
    [InlineData("0.0")]
    public void A_top_k_that_is_off_is_off(string value)
    {
        Write($$"""{"top_k":{{value}}}""");

        ModelDescription.Read(_folder.Path).Defaults.TopK.ShouldBe(0);
    }

    [Fact]
    public void The_configuration_is_asked_where_there_is_no_such_file()
    {
        File.Delete(_folder.PathOf("generation_config.json"));
        var path = _folder.PathOf("config.json");
        File.WriteAllText(path, "{\"temperature\":0.6," + File.ReadAllText(path)[1..]);

        ModelDescription.Read(_folder.Path).Defaults.ShouldBe(new GenerationDefaults { Temperature = 0.6 });
    }

    [Theory]
    [InlineData("temperature", "2.1")]
    [InlineData("temperature", "1e400")]
    [InlineData("temperature", "\"hot\"")]
    [InlineData("top_p", "0")]
    [InlineData("top_p", "1.01")]
    [InlineData("top_k", "2.5")]
    [InlineData("top_k", "-2")]
    [InlineData("top_k", "1e400")]
    [InlineData("min_p", "-0.1")]
    [InlineData("repetition_penalty", "0")]
    [InlineData("max_new_tokens", "0")]
    [InlineData("max_new_tokens", "1e12")]
    public async Task A_value_out_of_range_is_refused_with_the_way_around_it(string key, string value)
    {
        Write($$"""{"{{key}}":{{value}}}""");

        Should
            .Throw<ModelLoadException>(() => EngineUnderTest.Load(_folder.Path, null, "autoregressive"))
            .Message.ShouldMatch($"generation_config.json: \"{key}\" is .*; or set Dsde:Engine:GenerationConfig to none");
        await using var engine = EngineUnderTest.Load(
            _folder.Path,
            null,
            "autoregressive",
            change: options =>
            {
                options.GenerationConfig = "none";
                options.Threads = 0;
            }
        );
        engine.Description.Defaults.ShouldBe(GenerationDefaults.None);
    }

    private void Write(string json) => File.WriteAllText(_folder.PathOf("generation_config.json"), json);
}
