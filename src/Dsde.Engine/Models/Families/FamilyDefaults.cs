namespace Dsde.Engine.Models.Families;

/// <summary>Values of keys that a <c>config.json</c> may leave out.</summary>
/// <param name="ContextLength">Of <c>max_position_embeddings</c>.</param>
internal sealed record FamilyDefaults(int ContextLength)
{
    /// <summary>Of <c>num_key_value_heads</c>; null for as many as query heads.</summary>
    public int? KvHeadCount { get; init; }

    /// <summary>Of <c>head_dim</c>; null for hidden size over heads.</summary>
    public int? HeadDim { get; init; }

    /// <summary>Of <c>tie_word_embeddings</c>.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>Of <c>rms_norm_eps</c>.</summary>
    public double RmsNormEps { get; init; } = 1e-6;

    /// <summary>Of <c>rope_theta</c>.</summary>
    public double RopeTheta { get; init; } = 10_000;
}
