using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Models.Families;

/// <summary>Qwen3, dense: queries and keys are normalised per head, and heads are wider than the hidden size over their number.</summary>
internal sealed class Qwen3Family : IModelFamily
{
    /// <inheritdoc/>
    public string Name => "Qwen3";

    /// <inheritdoc/>
    public string Architecture => "Qwen3ForCausalLM";

    /// <inheritdoc/>
    public string ModelType => "qwen3";

    /// <inheritdoc/>
    public FamilyDefaults Defaults { get; } =
        new()
        {
            VocabularySize = 151_936,
            HiddenSize = 4096,
            IntermediateSize = 22_016,
            LayerCount = 32,
            HeadCount = 32,
            ContextLength = 32_768,
            KvHeadCount = 32,
            HeadDim = 128,
        };

    /// <inheritdoc/>
    public ModelConfig Complete(JsonSettings settings, ModelConfig common)
    {
        settings.RequireActivation("hidden_act", "silu", "swish");
        var attentionBias = settings.Bool("attention_bias", false);
        return common with
        {
            HasQkNorm = true,
            HasQkvBias = attentionBias,
            HasOutputBias = attentionBias,
            SlidingWindows = Qwen2Family.ReadWindows(settings, common.LayerCount),
        };
    }
}
