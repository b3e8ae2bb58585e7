using Dsde.Engine.Models;

namespace Dsde.ModelForge.Padding;

/// <summary>
/// The weights of a costlier model with the same outputs. Wider layers hold zeros around the source's numbers; RMSNorm then divides by the
/// mean square over the wider vector, which the norms' weights, smaller by √(H/H'), and an ε smaller by H/H' make up for; wider heads
/// divide the scores by a larger √d, which a larger query projection makes up for. Additional layers repeat the source's, with output
/// projections of zero: they cost and add nothing.
/// </summary>
internal sealed class PaddedModel
{
    /// <summary>The embedding's name.</summary>
    public const string EmbeddingName = "model.embed_tokens.weight";

    private readonly DecoderShape _source;
    private readonly DecoderShape _wider;
    private readonly HeadPlacement _heads;
    private readonly int[] _hidden;
    private readonly int[] _intermediate;

    /// <exception cref="PaddingException">The source doesn't fit into the shape.</exception>
    public PaddedModel(DecoderShape source, DecoderShape wider)
    {
        if (wider.KvHeadCount < 1 || wider.HeadCount % wider.KvHeadCount != 0)
        {
            throw new PaddingException(
                $"{wider.HeadCount} query heads don't divide by {wider.KvHeadCount} key and value heads; give a multiple."
            );
        }

        RequireAtLeast("hidden size", wider.HiddenSize, source.HiddenSize);
        RequireAtLeast("number of layers", wider.LayerCount, source.LayerCount);
        RequireAtLeast("MLP size", wider.IntermediateSize, source.IntermediateSize);
        (_source, _wider) = (source, wider);
        _heads = new HeadPlacement(source, wider);
        _hidden = FirstOf(wider.HiddenSize, source.HiddenSize);
        _intermediate = FirstOf(wider.IntermediateSize, source.IntermediateSize);
    }

    /// <summary>ε of the wider model's norms.</summary>
    public double ToEps(double sourceEps) => sourceEps * _source.HiddenSize / _wider.HiddenSize;

    /// <summary>All weights, from the embedding up.</summary>
    public IEnumerable<WeightPadding> Weights(int vocabularySize, bool tied)
    {
        var vocabulary = FirstOf(vocabularySize, vocabularySize);
        yield return Same(EmbeddingName, vocabulary, _hidden);
        for (var layer = 0; layer < _wider.LayerCount; layer++)
        {
            foreach (var weight in Layer(layer))
            {
                yield return weight;
            }
        }

        yield return Norm("model.norm.weight", "model.norm.weight");
        if (!tied)
        {
            yield return Same(ModelFolder.HeadName, vocabulary, _hidden);
        }
    }

    private IEnumerable<WeightPadding> Layer(int layer)
    {
        var isAdditional = layer >= _source.LayerCount;
        string prefix = $"model.layers.{layer}.",
            from = $"model.layers.{layer % _source.LayerCount}.";
        return
        [
            Norm(prefix + "input_layernorm.weight", from + "input_layernorm.weight"),
            Place("self_attn.q_proj.weight", _heads.QueryRows, _hidden) with
            {
                Scale = Math.Sqrt((double)_wider.HeadDim / _source.HeadDim),
            },
            Place("self_attn.k_proj.weight", _heads.KvRows, _hidden),
            Place("self_attn.v_proj.weight", _heads.KvRows, _hidden),
            PlaceOutput("self_attn.o_proj.weight", _heads.QueryRows),
            Norm(prefix + "post_attention_layernorm.weight", from + "post_attention_layernorm.weight"),
            Place("mlp.gate_proj.weight", _intermediate, _hidden),
            Place("mlp.up_proj.weight", _intermediate, _hidden),
            PlaceOutput("mlp.down_proj.weight", _intermediate),
        ];

        WeightPadding Place(string name, int[] rows, int[] columns) => new(prefix + name, from + name, rows, columns);

        WeightPadding PlaceOutput(string name, int[] columns) => new(prefix + name, isAdditional ? null : from + name, _hidden, columns);
    }

    private static WeightPadding Same(string name, int[] rows, int[] columns) => new(name, name, rows, columns);

    private WeightPadding Norm(string name, string from) =>
        new(name, from, null, _hidden, Math.Sqrt((double)_source.HiddenSize / _wider.HiddenSize));

    private static int[] FirstOf(int length, int used) => [.. Enumerable.Range(0, length).Select(i => i < used ? i : -1)];

    private static void RequireAtLeast(string what, int wanted, int source)
    {
        if (wanted < source)
        {
            throw new PaddingException($"The {what} is to be {wanted}, but the source has {source}; give at least that.");
        }
    }
}
