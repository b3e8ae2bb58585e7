using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Models.Families;

/// <summary>Llama 2 and 3.x, and what follows them to the letter.</summary>
internal sealed class LlamaFamily : IModelFamily
{
    /// <inheritdoc/>
    public string Name => "Llama";

    /// <inheritdoc/>
    public string Architecture => "LlamaForCausalLM";

    /// <inheritdoc/>
    public string ModelType => "llama";

    /// <inheritdoc/>
    public FamilyDefaults Defaults { get; } =
        new()
        {
            VocabularySize = 32_000,
            HiddenSize = 4096,
            IntermediateSize = 11_008,
            LayerCount = 32,
            HeadCount = 32,
            ContextLength = 2048,
        };

    /// <inheritdoc/>
    public ModelConfig Complete(JsonSettings settings, ModelConfig common)
    {
        settings.RequireActivation("hidden_act", "silu", "swish");
        var attentionBias = settings.Bool("attention_bias", false);
        return common with { HasQkvBias = attentionBias, HasOutputBias = attentionBias, HasMlpBias = settings.Bool("mlp_bias", false) };
    }
}
