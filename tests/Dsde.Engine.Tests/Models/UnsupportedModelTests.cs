using System.Text.Json.Nodes;
using Dsde.Engine.Loading;
using Dsde.Engine.Models;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Models;

/// <summary>A setting that changes the computation and is not implemented is refused by name, with what is supported.</summary>
public sealed class UnsupportedModelTests : IDisposable
{
    private readonly ScratchFolder _folder = new("unsupported");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_unknown_architecture_is_answered_with_the_known_ones()
    {
        var message = Refusal(TestFamily.Llama, "architectures", "[\"MambaForCausalLM\"]");

        message.ShouldContain("MambaForCausalLM");
        foreach (var name in Enum.GetNames<TestFamily>())
        {
            message.ShouldContain(name + "ForCausalLM");
        }
    }

    [Theory]
    [InlineData(
        TestFamily.Llama,
        "quantization_config",
        "{\"quant_method\":\"gptq\",\"bits\":4}",
        "quantized by gptq; supported: bf16, fp16 and fp32"
    )]
    [InlineData(TestFamily.Llama, "hidden_act", "\"relu\"", "\"hidden_act\" is \"relu\"; supported: \"silu\"")]
    [InlineData(TestFamily.Gemma2, "hidden_activation", "\"gelu\"", "supported: \"gelu_pytorch_tanh\"")]
    [InlineData(TestFamily.Gemma2, "use_bidirectional_attention", "true", "use_bidirectional_attention")]
    [InlineData(TestFamily.Llama, "rope_scaling", "{\"rope_type\":\"yarn\",\"factor\":4}", "\"rope_scaling\" is {\"rope_type\":\"yarn\"")]
    [InlineData(TestFamily.Llama, "rope_scaling", "{\"rope_type\":\"dynamic\",\"factor\":4}", "\"linear\" or \"llama3\"")]
    [InlineData(TestFamily.Llama, "rope_scaling", "{\"rope_type\":\"llama3\",\"factor\":8}", "no \"low_freq_factor\"")]
    [InlineData(
        TestFamily.Llama,
        "rope_scaling",
        "{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":4,\"high_freq_factor\":4,\"original_max_position_embeddings\":64}",
        "above \"low_freq_factor\""
    )]
    [InlineData(TestFamily.Llama, "partial_rotary_factor", "0.5", "partial_rotary_factor")]
    [InlineData(TestFamily.Qwen2, "use_mrope", "true", "use_mrope")]
    [InlineData(TestFamily.Mistral, "layer_types", "[\"full_attention\",\"chunked_attention\",\"full_attention\"]", "chunked_attention")]
    [InlineData(TestFamily.Gemma2, "layer_types", "[\"full_attention\"]", "a list of 3 times")]
    [InlineData(TestFamily.Llama, "num_key_value_heads", "3", "a divisor of \"num_attention_heads\" (4)")]
    [InlineData(TestFamily.Llama, "head_dim", "1073741824", "the keys of a position")]
    [InlineData(
        TestFamily.Llama,
        "max_position_embeddings",
        "2147483647",
        "\"max_position_embeddings\" is 2147483647; supported: at most 67108864"
    )]
    [InlineData(TestFamily.Gemma2, "sliding_window", "-1", "\"sliding_window\" is -1")]
    public void A_setting_is_refused_by_name(TestFamily family, string key, string value, string message) =>
        Refusal(family, key, value).ShouldContain(message);

    [Theory]
    [InlineData(TestFamily.Qwen2, TestFamily.Llama, "self_attn.k_proj.bias")]
    [InlineData(TestFamily.Qwen3, TestFamily.Llama, "self_attn.k_norm.weight")]
    [InlineData(TestFamily.Llama, TestFamily.Qwen2, "self_attn.q_proj.bias")]
    [InlineData(TestFamily.Llama, TestFamily.Gemma2, "pre_feedforward_layernorm")]
    public void Weights_of_one_family_under_the_name_of_another_are_refused(TestFamily family, TestFamily other, string weight)
    {
        TestModelFolder.Write(_folder.Path, new TestModelShape { Family = family, SlidingWindow = 8 });
        Edit(config =>
        {
            config["architectures"] = new JsonArray($"{other}ForCausalLM");
            config["model_type"] = other.ToString().ToLowerInvariant();
        });

        Should.Throw<ModelLoadException>(() => DecoderUnderTest.LoadWritten(_folder.Path)).Message.ShouldContain(weight);
    }

    [Fact]
    public void Keys_left_out_mean_what_the_family_means_by_that()
    {
        TestModelFolder.Write(
            _folder.Path,
            new TestModelShape
            {
                Family = TestFamily.Gemma2,
                Heads = 8,
                KvHeads = 4,
            }
        );
        Edit(config =>
        {
            foreach (
                var key in (string[])
                    [
                        "head_dim",
                        "tie_word_embeddings",
                        "attn_logit_softcapping",
                        "sliding_window",
                        "query_pre_attn_scalar",
                        "num_key_value_heads",
                    ]
            )
            {
                config.Remove(key);
            }

            config["final_logit_softcapping"] = null;
        });

        var config = ModelConfig.Load(_folder.Path);

        (config.HeadDim, config.KvHeadCount, config.TieWordEmbeddings).ShouldBe((256, 4, true));
        (config.AttentionSoftCap, config.LogitSoftCap, config.AttentionScale).ShouldBe((50, null, 1 / 16.0));
        config.SlidingWindows.ShouldBe([4096, null, 4096]);
    }

    private string Refusal(TestFamily family, string key, string value)
    {
        TestModelFolder.Write(_folder.Path, new TestModelShape { Family = family });
        Edit(config => config[key] = JsonNode.Parse(value));
        return Should.Throw<ModelLoadException>(() => ModelDescription.Read(_folder.Path)).Message;
    }

    private void Edit(Action<JsonObject> change)
    {
        var path = _folder.PathOf("config.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(config);
        File.WriteAllText(path, config.ToJsonString());
    }
}
