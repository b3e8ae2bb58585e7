namespace Dsde.Engine.Tests.Models.Reference;

/// <summary>Attention of one layer, token by token, with all its past.</summary>
internal sealed class ReferenceAttention(TestModelShape shape, ReferenceWeights weights, int layer)
{
    private readonly string _prefix = $"model.layers.{layer}.self_attn.";
    private readonly List<double[][]> _keys = []; // position, kv head, number
    private readonly List<double[][]> _values = [];

    /// <summary>What the token at a position adds to the residual stream.</summary>
    public double[] Next(double[] input, int position)
    {
        var queries = Heads("q", input).Select(head => ReferenceRotation.Rotate(shape, head, position)).ToArray();
        _keys.Add([.. Heads("k", input).Select(head => ReferenceRotation.Rotate(shape, head, position))]);
        _values.Add([.. Heads("v", input)]);
        return weights.Multiply(
            _prefix + "o_proj",
            [.. queries.SelectMany((query, head) => Attend(query, head / (shape.Heads / shape.KvHeads), position))]
        );
    }

    /// <summary>Heads of a projection, normalised where the family does so.</summary>
    private IEnumerable<double[]> Heads(string kind, double[] input)
    {
        var heads = weights.Multiply($"{_prefix}{kind}_proj", input).Chunk(shape.HeadDim);
        return shape.Family == TestFamily.Qwen3 && kind != "v" ? heads.Select(head => weights.Norm($"{_prefix}{kind}_norm", head)) : heads;
    }

    private double[] Attend(double[] query, int group, int position)
    {
        var first = Slides() ? Math.Max(0, position - shape.SlidingWindow!.Value + 1) : 0;
        var scores = Enumerable.Range(first, position - first + 1).Select(past => Math.Exp(Score(query, _keys[past][group]))).ToArray();
        var total = scores.Sum();
        return
        [
            .. Enumerable
                .Range(0, shape.HeadDim)
                .Select(i => scores.Select((score, index) => score / total * _values[first + index][group][i]).Sum()),
        ];
    }

    private double Score(double[] query, double[] key)
    {
        var product = query.Zip(key, (q, k) => q * k).Sum();
        if (shape.Family != TestFamily.Gemma2)
        {
            return product / Math.Sqrt(shape.HeadDim);
        }

        var score = product / Math.Sqrt(shape.QueryScalar);
        return shape.AttentionSoftCap is { } cap ? cap * Math.Tanh(score / cap) : score;
    }

    private bool Slides() =>
        shape.SlidingWindow is not null
        && shape.Family switch
        {
            TestFamily.Mistral => true,
            TestFamily.Qwen2 or TestFamily.Qwen3 => layer >= TestModelShape.QwenFullLayers,
            TestFamily.Gemma2 => layer is 0 or 2 or 4,
            _ => false,
        };
}
