namespace Dsde.Engine.Tests.TestModels;

/// <summary>The <c>config.json</c> of a test model, with the keys that the family's published checkpoints have.</summary>
internal static class TestModelConfig
{
    public static Dictionary<string, object?> Create(TestModelShape shape)
    {
        var config = new Dictionary<string, object?>
        {
            ["architectures"] = new[] { $"{shape.Family}ForCausalLM" },
            ["model_type"] = shape.Family.ToString().ToLowerInvariant(),
            ["hidden_size"] = shape.Hidden,
            ["num_hidden_layers"] = shape.Layers,
            ["num_attention_heads"] = shape.Heads,
            ["num_key_value_heads"] = shape.KvHeads,
            ["head_dim"] = shape.HeadDim,
            ["intermediate_size"] = shape.Intermediate,
            ["vocab_size"] = shape.Vocabulary,
            ["hidden_act"] = shape.Family == TestFamily.Gemma2 ? "gelu_pytorch_tanh" : "silu",
            ["rms_norm_eps"] = 1e-5,
            ["rope_theta"] = 10000.0,
            ["max_position_embeddings"] = shape.Context,
            ["tie_word_embeddings"] = shape.Tied,
            ["torch_dtype"] = shape.StoredAs switch
            {
                "BF16" => "bfloat16",
                "F16" => "float16",
                _ => "float32",
            },
        };
        AddRopeScaling(config, shape.RopeScaling);
        AddFamily(config, shape);
        return config;
    }

    private static void AddRopeScaling(Dictionary<string, object?> config, TestRopeScaling? scaling)
    {
        if (scaling is null)
        {
            return;
        }

        config["rope_scaling"] =
            scaling.Type == "llama3"
                ? new Dictionary<string, object>
                {
                    ["rope_type"] = scaling.Type,
                    ["factor"] = scaling.Factor,
                    ["low_freq_factor"] = scaling.LowFrequencyFactor,
                    ["high_freq_factor"] = scaling.HighFrequencyFactor,
                    ["original_max_position_embeddings"] = scaling.OriginalContext,
                }
                : new Dictionary<string, object> { ["type"] = scaling.Type, ["factor"] = scaling.Factor };
    }

    private static void AddFamily(Dictionary<string, object?> config, TestModelShape shape)
    {
        switch (shape.Family)
        {
            case TestFamily.Llama when shape.HasBiases:
                config["attention_bias"] = true;
                config["mlp_bias"] = true;
                break;
            case TestFamily.Mistral:
                config["sliding_window"] = shape.SlidingWindow;
                break;
            case TestFamily.Qwen2 or TestFamily.Qwen3:
                config["use_sliding_window"] = shape.SlidingWindow is not null;
                config["sliding_window"] = shape.SlidingWindow;
                config["max_window_layers"] = TestModelShape.QwenFullLayers;
                break;
            case TestFamily.Gemma2:
                config["hidden_activation"] = "gelu_pytorch_tanh";
                config["query_pre_attn_scalar"] = shape.QueryScalar;
                config["attn_logit_softcapping"] = shape.AttentionSoftCap;
                config["final_logit_softcapping"] = shape.LogitSoftCap;
                config["sliding_window"] = shape.SlidingWindow;
                break;
        }
    }
}
