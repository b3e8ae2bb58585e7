using System.Buffers.Binary;
using Dsde.Engine.Loading;
using Dsde.Engine.Models;
using Dsde.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Engine.Tests.Models;

/// <summary>A model folder that can't be used ends with a message that names the file, what is wrong and what to do.</summary>
public sealed class BrokenFolderTests : IDisposable
{
    private readonly ScratchFolder _folder = new("broken");

    public BrokenFolderTests() => TestModelFolder.Write(_folder.Path, new TestModelShape());

    private string Weights => _folder.PathOf("model.safetensors");

    private string Config => _folder.PathOf("config.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Missing_folder() => ShouldFail(_folder.PathOf("nowhere"), "nowhere is missing");

    [Fact]
    public void Missing_config()
    {
        File.Delete(Config);
        ShouldFail(_folder.Path, "config.json is missing");
    }

    [Fact]
    public void Another_architecture()
    {
        File.WriteAllText(Config, File.ReadAllText(Config).Replace("LlamaForCausalLM", "MambaForCausalLM", StringComparison.Ordinal));
        ShouldFail(_folder.Path, "MambaForCausalLM");
    }

    [Fact]
    public void Missing_weights()
    {
        File.Delete(Weights);
        ShouldFail(_folder.Path, "neither model.safetensors nor");
    }

    [Fact]
    public void Truncated_weights()
    {
        using (var file = File.OpenWrite(Weights))
        {
            file.SetLength(file.Length - 1000);
        }

        ShouldFail(_folder.Path, "model.safetensors");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(100)]
    public void Weights_that_end_inside_their_header(int length)
    {
        using (var file = File.OpenWrite(Weights))
        {
            file.SetLength(length);
        }

        ShouldFail(_folder.Path, "model.safetensors");
    }

    [Fact]
    public void A_header_longer_than_the_file()
    {
        var bytes = File.ReadAllBytes(Weights);
        BinaryPrimitives.WriteInt64LittleEndian(bytes, long.MaxValue);
        File.WriteAllBytes(Weights, bytes);
        ShouldFail(_folder.Path, "model.safetensors");
    }

    [Fact]
    public void A_file_that_is_not_safetensors()
    {
        File.WriteAllText(Weights, "version https://example.org/some-pointer-file\nsize 12345\n");
        ShouldFail(_folder.Path, "model.safetensors");
    }

    [Fact]
    public void Weights_of_another_shape()
    {
        File.WriteAllText(
            Config,
            File.ReadAllText(Config).Replace("\"intermediate_size\":64", "\"intermediate_size\":65", StringComparison.Ordinal)
        );
        ShouldFail(_folder.Path, "belong to different models");
    }

    [Fact]
    public void A_layer_too_many()
    {
        File.WriteAllText(
            Config,
            File.ReadAllText(Config).Replace("\"num_hidden_layers\":3", "\"num_hidden_layers\":4", StringComparison.Ordinal)
        );
        ShouldFail(_folder.Path, "model.layers.3.");
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("generation_config.json")]
    public void Settings_that_are_not_utf8(string file)
    {
        var path = _folder.PathOf(file);
        File.WriteAllBytes(path, [.. "{\"architectures\":[\""u8, 0xFF, .. "\"],\"eos_token_id\":1}"u8]);
        ShouldFail(_folder.Path, $"{file} holds text that is not Unicode");
    }

    [Theory]
    [InlineData("""{"architectures":["\uD800"]}""")]
    [InlineData("""{"\uDC00":1,"architectures":["LlamaForCausalLM"]}""")]
    [InlineData("""{"architectures":["LlamaForCausalLM"],"rope_scaling":{"rope_type":"\uD834x"}}""")]
    public void Settings_with_half_a_character(string config)
    {
        File.WriteAllText(Config, config);
        ShouldFail(_folder.Path, "config.json holds text that is not Unicode");
    }

    [Fact]
    public void Settings_with_a_byte_order_mark_are_read()
    {
        File.WriteAllBytes(Config, [0xEF, 0xBB, 0xBF, .. File.ReadAllBytes(Config)]);
        ModelFolder.Open(_folder.Path).Config.HiddenSize.ShouldBe(32);
    }

    [Fact]
    public void More_layers_than_any_model_has()
    {
        File.WriteAllText(
            Config,
            File.ReadAllText(Config).Replace("\"num_hidden_layers\":3", "\"num_hidden_layers\":2000000000", StringComparison.Ordinal)
        );
        ShouldFail(_folder.Path, "\"num_hidden_layers\" is 2000000000; supported: at most");
    }

    [Theory]
    [InlineData(TestFamily.Qwen2, "model.layers.1.self_attn.q_proj.bias")]
    [InlineData(TestFamily.Qwen3, "model.layers.0.self_attn.k_norm.weight")]
    [InlineData(TestFamily.Gemma2, "model.layers.2.post_feedforward_layernorm.weight")]
    public void A_weight_of_another_shape_is_named(TestFamily family, string weight)
    {
        TestModelFolder.Write(_folder.Path, new TestModelShape { Family = family, Misshapen = weight });
        ShouldFail(_folder.Path, $"{weight} has shape");
        Should.Throw<ModelLoadException>(() => ModelDescription.Read(_folder.Path)).Message.ShouldContain($"{weight} has shape");
    }

    [Fact]
    public void A_shard_that_is_not_there()
    {
        Directory.Delete(_folder.Path, recursive: true);
        TestModelFolder.Write(_folder.Path, new TestModelShape { Shards = 2 });
        File.Delete(_folder.PathOf("model-00002-of-00002.safetensors"));
        ShouldFail(_folder.Path, "model-00002-of-00002.safetensors");
    }

    [Fact]
    public void An_option_that_does_not_fit_the_model() =>
        ShouldFail(_folder.Path, "allows 128 tokens", options => options.MaxLength = 129);

    [Fact]
    public void A_policy_that_is_not_known() => ShouldFail(_folder.Path, "Policy 'fast' is not known", options => options.Policy = "fast");

    [Fact]
    public void A_policy_that_needs_the_missing_draft() =>
        ShouldFail(_folder.Path, "needs a draft model", options => options.Policy = "dsde");

    private static void ShouldFail(string folder, string message, Action<EngineOptions>? change = null)
    {
        var options = new EngineOptions
        {
            Target = folder,
            Draft = null,
            Policy = "autoregressive",
            Device = "cpu",
        };
        change?.Invoke(options);
        Should
            .Throw<ModelLoadException>(() => GenerationEngine.Load(options, TimeProvider.System, NullLoggerFactory.Instance))
            .Message.ShouldContain(message);
    }
}
