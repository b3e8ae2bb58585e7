using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Models.Families;

/// <summary>Qwen2 and Qwen2.5: Llama with biases in the query, key and value projections.</summary>
internal sealed class Qwen2Family : IModelFamily
{
    private const int DefaultWindow = 4096;
    private const int DefaultFullLayers = 28;

    /// <inheritdoc/>
    public string Name => "Qwen2";

    /// <inheritdoc/>
    public string Architecture => "Qwen2ForCausalLM";

    /// <inheritdoc/>
    public string ModelType => "qwen2";

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
        };

    /// <inheritdoc/>
    public ModelConfig Complete(JsonSettings settings, ModelConfig common)
    {
        settings.RequireActivation("hidden_act", "silu", "swish");
        settings.RequireOff("use_mrope");
        return common with { HasQkvBias = true, SlidingWindows = ReadWindows(settings, common.LayerCount) };
    }

    /// <summary>The window is on only where a switch says so, and then in the upper layers. Qwen3 has the same keys.</summary>
    public static IReadOnlyList<int?> ReadWindows(JsonSettings settings, int layerCount)
    {
        var window = settings.Bool("use_sliding_window", false) ? settings.WindowOrNone(DefaultWindow) : null;
        var fullLayers = settings.Count("max_window_layers") ?? DefaultFullLayers;
        return settings.LayerWindows(layerCount, window, layer => layer >= fullLayers);
    }
}
