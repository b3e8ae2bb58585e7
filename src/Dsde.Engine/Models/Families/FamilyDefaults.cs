namespace Dsde.Engine.Models.Families;

/// <summary>
/// What Hugging Face's configuration class of a family takes for a key that <c>config.json</c> leaves out. The table in docs/models.md has
/// them, too, and what a null and a value mean; a test walks over it.
/// </summary>
internal sealed record FamilyDefaults
{
    /// <summary>Of <c>vocab_size</c>.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Of <c>hidden_size</c>.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Of <c>intermediate_size</c>.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Of <c>num_hidden_layers</c>.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Of <c>num_attention_heads</c>.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Of <c>num_key_value_heads</c>; null for as many as query heads.</summary>
    public int? KvHeadCount { get; init; }

    /// <summary>Of <c>head_dim</c>; null for hidden size over heads.</summary>
    public int? HeadDim { get; init; }

    /// <summary>Of <c>max_position_embeddings</c>.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Of <c>tie_word_embeddings</c>.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>Of <c>rms_norm_eps</c>.</summary>
    public double RmsNormEps { get; init; } = 1e-6;

    /// <summary>Of <c>rope_theta</c>.</summary>
    public double RopeTheta { get; init; } = 10_000;
}
