namespace Dsde.Engine.Tests.Models.Reference;

/// <summary>
/// The decoder of each family written out in double precision, one position and one number at a time, after the papers and Hugging Face's
/// code: nothing shared with the engine but the stored weights.
/// </summary>
internal sealed class ReferenceDecoder
{
    private readonly TestModelShape _shape;
    private readonly ReferenceWeights _weights;
    private readonly ReferenceAttention[] _attention;
    private int _position;

    public ReferenceDecoder(TestModelShape shape)
    {
        _shape = shape;
        _weights = new ReferenceWeights(shape);
        _attention = [.. Enumerable.Range(0, shape.Layers).Select(layer => new ReferenceAttention(shape, _weights, layer))];
    }

    /// <summary>Logits behind the last of some tokens, from an empty past.</summary>
    public double[] Logits(IEnumerable<int> tokens) => AllLogits(tokens)[^1];

    /// <summary>Logits behind each of some tokens, from an empty past.</summary>
    public double[][] AllLogits(IEnumerable<int> tokens)
    {
        var fresh = new ReferenceDecoder(_shape);
        return [.. tokens.Select(fresh.Next)];
    }

    /// <summary>Takes in the next token; logits behind it.</summary>
    public double[] Next(int token)
    {
        var hidden = _weights["model.embed_tokens.weight"].Skip(token * _shape.Hidden).Take(_shape.Hidden).ToArray();
        if (_shape.Family == TestFamily.Gemma2)
        {
            hidden = [.. hidden.Select(value => value * Math.Sqrt(_shape.Hidden))];
        }

        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            hidden = Layer(layer, hidden);
        }

        _position++;
        var logits = _weights.Multiply(_shape.Tied ? "model.embed_tokens" : "lm_head", _weights.Norm("model.norm", hidden));
        return _shape is { Family: TestFamily.Gemma2, LogitSoftCap: { } cap }
            ? [.. logits.Select(logit => cap * Math.Tanh(logit / cap))]
            : logits;
    }

    private double[] Layer(int layer, double[] hidden)
    {
        var prefix = $"model.layers.{layer}.";
        var hasOutputNorms = _shape.Family == TestFamily.Gemma2;
        var attended = _attention[layer].Next(_weights.Norm(prefix + "input_layernorm", hidden), _position);
        if (hasOutputNorms)
        {
            attended = _weights.Norm(prefix + "post_attention_layernorm", attended);
        }

        hidden = Add(hidden, attended);
        var mixed = Mlp(
            prefix + "mlp.",
            _weights.Norm(prefix + (hasOutputNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm"), hidden)
        );
        if (hasOutputNorms)
        {
            mixed = _weights.Norm(prefix + "post_feedforward_layernorm", mixed);
        }

        return Add(hidden, mixed);
    }

    private double[] Mlp(string prefix, double[] input)
    {
        var gate = _weights.Multiply(prefix + "gate_proj", input);
        var up = _weights.Multiply(prefix + "up_proj", input);
        Func<double, double> activate = _shape.Family == TestFamily.Gemma2 ? GeluTanh : Silu;
        return _weights.Multiply(prefix + "down_proj", [.. gate.Select((value, i) => activate(value) * up[i])]);
    }

    private static double Silu(double x) => x / (1 + Math.Exp(-x));

    private static double GeluTanh(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))));

    private static double[] Add(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];
}
