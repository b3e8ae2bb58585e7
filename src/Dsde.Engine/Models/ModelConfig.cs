using Dsde.Engine.Models.Operators;

namespace Dsde.Engine.Models;

/// <summary>Shape and constants of a decoder, as its folder's <c>config.json</c> gives them.</summary>
internal sealed record ModelConfig
{
    /// <summary>Name of the model family.</summary>
    public required string Family { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Decoder layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Query heads; a multiple of <see cref="KvHeadCount"/>.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Key and value heads.</summary>
    public required int KvHeadCount { get; init; }

    /// <summary>Width of one head; even.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Width of the gated MLP.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Rows of the embedding, padding rows included.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Added to the mean square in RMSNorm.</summary>
    public required double RmsNormEps { get; init; }

    /// <summary>Base of the rotary embedding's wavelengths.</summary>
    public required double RopeTheta { get; init; }

    /// <summary>Stretches the rotary embedding; null for none.</summary>
    public required RopeScaling? RopeScaling { get; init; }

    /// <summary>Most tokens of prompt and output together.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Whether the output projection is the embedding.</summary>
    public required bool TieWordEmbeddings { get; init; }

    /// <summary>Attention scores are multiplied by it.</summary>
    public required double AttentionScale { get; init; }

    /// <summary>Of each layer, the most recent positions attended to, the row's own included; null for all.</summary>
    public required IReadOnlyList<int?> SlidingWindows { get; init; }

    /// <summary>Attention scores s become c·tanh(s/c); null for plain scores.</summary>
    public double? AttentionSoftCap { get; init; }

    /// <summary>Logits s become c·tanh(s/c); null for plain logits.</summary>
    public double? LogitSoftCap { get; init; }

    /// <summary>The embedding's rows are multiplied by it.</summary>
    public double EmbeddingScale { get; init; } = 1;

    /// <summary>On the gate of the MLP.</summary>
    public GateActivation Activation { get; init; } = GateActivation.Silu;

    /// <summary>Whether queries and keys are normalised per head.</summary>
    public bool HasQkNorm { get; init; }

    /// <summary>Whether the query, key and value projections have biases.</summary>
    public bool HasQkvBias { get; init; }

    /// <summary>Whether attention's output projection has a bias.</summary>
    public bool HasOutputBias { get; init; }

    /// <summary>Whether the MLP's projections have biases.</summary>
    public bool HasMlpBias { get; init; }

    /// <summary>Whether attention and MLP are normalised before they are added to the residual stream, too.</summary>
    public bool HasOutputNorms { get; init; }

    /// <summary>Whether norm weights are stored as their distance from 1.</summary>
    public bool NormsAreOffsets { get; init; }

    /// <summary>Whether activations leave the range of fp16, so that the model can't run in it.</summary>
    public bool OverflowsFp16 { get; init; }

    /// <summary>Tokens that end the output, of <c>config.json</c> and <c>generation_config.json</c> together; may be empty.</summary>
    public required IReadOnlyList<int> EosTokenIds { get; init; }

    /// <summary>Reads the configuration of a model folder.</summary>
    /// <exception cref="ModelLoadException">A file is missing or broken, or asks for something the engine does not do.</exception>
    public static ModelConfig Load(string folder) => ModelConfigReader.Read(folder);
}
