using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Models.Families;

/// <summary>Mistral 7B and its relatives: Llama with a sliding window in the first version.</summary>
internal sealed class MistralFamily : IModelFamily
{
    private const int DefaultWindow = 4096;

    /// <inheritdoc/>
    public string Name => "Mistral";

    /// <inheritdoc/>
    public string Architecture => "MistralForCausalLM";

    /// <inheritdoc/>
    public string ModelType => "mistral";

    /// <inheritdoc/>
    public FamilyDefaults Defaults { get; } =
        new()
        {
            VocabularySize = 32_000,
            HiddenSize = 4096,
            IntermediateSize = 14_336,
            LayerCount = 32,
            HeadCount = 32,
            ContextLength = 131_072,
            KvHeadCount = 8,
        };

    /// <inheritdoc/>
    public ModelConfig Complete(JsonSettings settings, ModelConfig common)
    {
        settings.RequireActivation("hidden_act", "silu", "swish");
        return common with { SlidingWindows = settings.LayerWindows(common.LayerCount, settings.WindowOrNone(DefaultWindow), _ => true) };
    }
}
