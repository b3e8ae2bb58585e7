using Dsde.Engine.Models.Files;
using Dsde.Engine.Models.Operators;

namespace Dsde.Engine.Models.Families;

/// <summary>
/// Gemma 2: norms before and after each block, stored as their distance from 1; soft-capped scores and logits; every other layer slides,
/// from the first; embeddings scaled by √hidden.
/// </summary>
internal sealed class Gemma2Family : IModelFamily
{
    private const int DefaultWindow = 4096;
    private const double DefaultAttentionSoftCap = 50;
    private const double DefaultLogitSoftCap = 30;
    private const double DefaultQueryScalar = 256;

    /// <inheritdoc/>
    public string Name => "Gemma 2";

    /// <inheritdoc/>
    public string Architecture => "Gemma2ForCausalLM";

    /// <inheritdoc/>
    public string ModelType => "gemma2";

    /// <inheritdoc/>
    public FamilyDefaults Defaults { get; } =
        new()
        {
            VocabularySize = 256_000,
            HiddenSize = 2304,
            IntermediateSize = 9216,
            LayerCount = 26,
            HeadCount = 8,
            ContextLength = 8192,
            KvHeadCount = 4,
            HeadDim = 256,
            TieWordEmbeddings = true,
        };

    /// <inheritdoc/>
    public ModelConfig Complete(JsonSettings settings, ModelConfig common)
    {
        settings.RequireActivation("hidden_activation", "gelu_pytorch_tanh"); // "hidden_act" is there as well, and not used
        settings.RequireOff("use_bidirectional_attention");
        var attentionBias = settings.Bool("attention_bias", false);
        return common with
        {
            HasQkvBias = attentionBias,
            HasOutputBias = attentionBias,
            Activation = GateActivation.GeluTanh,
            HasOutputNorms = true,
            NormsAreOffsets = true,
            OverflowsFp16 = true,
            EmbeddingScale = Math.Sqrt(common.HiddenSize),
            AttentionScale = 1 / Math.Sqrt(settings.PositiveNumber("query_pre_attn_scalar") ?? DefaultQueryScalar),
            AttentionSoftCap = settings.NumberOrNone("attn_logit_softcapping", DefaultAttentionSoftCap),
            LogitSoftCap = settings.NumberOrNone("final_logit_softcapping", DefaultLogitSoftCap),
            SlidingWindows = settings.LayerWindows(common.LayerCount, settings.WindowOrNone(DefaultWindow), layer => layer % 2 == 0),
        };
    }
}
