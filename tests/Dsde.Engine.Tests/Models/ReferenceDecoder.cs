using Dsde.Engine.Models;

namespace Dsde.Engine.Tests.Models;

/// <summary>The Llama decoder written out in double precision, one position and one number at a time: nothing shared with the engine but the weights.</summary>
internal sealed class ReferenceDecoder(TestModelShape shape)
{
    private readonly Dictionary<string, double[]> _weights =
        shape.Weights().ToDictionary(weight => weight.Name, weight => TestModelFolder.Values(weight.Name, weight.Shape, shape).Select(value => (double)value).ToArray());

    /// <summary>Logits behind the last of some tokens.</summary>
    public double[] Logits(IReadOnlyList<int> tokens)
    {
        var hidden = tokens.Select(token => _weights["model.embed_tokens.weight"].Skip(token * shape.Hidden).Take(shape.Hidden).ToArray()).ToArray();
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            var attended = Attend(prefix, [.. hidden.Select(row => Norm(row, prefix + "input_layernorm.weight"))]);
            for (var position = 0; position < hidden.Length; position++)
            {
                hidden[position] = Add(hidden[position], attended[position]);
                var normed = Norm(hidden[position], prefix + "post_attention_layernorm.weight");
                var gate = Multiply(prefix + "mlp.gate_proj.weight", normed);
                var up = Multiply(prefix + "mlp.up_proj.weight", normed);
                var gated = gate.Select((value, i) => value / (1 + Math.Exp(-value)) * up[i]).ToArray();
                hidden[position] = Add(hidden[position], Multiply(prefix + "mlp.down_proj.weight", gated));
            }
        }

        return Multiply(shape.Tied ? "model.embed_tokens.weight" : "lm_head.weight", Norm(hidden[^1], "model.norm.weight"));
    }

    private double[][] Attend(string prefix, double[][] input)
    {
        var queries = Heads(prefix + "self_attn.q_proj.weight", input, rotates: true);
        var keys = Heads(prefix + "self_attn.k_proj.weight", input, rotates: true);
        var values = Heads(prefix + "self_attn.v_proj.weight", input, rotates: false);
        return [.. input.Select((_, position) => Multiply(
            prefix + "self_attn.o_proj.weight",
            [.. Enumerable.Range(0, shape.Heads).SelectMany(head => AttendHead(head, position, queries, keys, values))]))];
    }

    private double[] AttendHead(int head, int position, double[][][] queries, double[][][] keys, double[][][] values)
    {
        var group = head / (shape.Heads / shape.KvHeads);
        var scores = Enumerable.Range(0, position + 1)
            .Select(past => Math.Exp(queries[position][head].Zip(keys[past][group], (q, k) => q * k).Sum() / Math.Sqrt(shape.HeadDim))).ToArray();
        return [.. Enumerable.Range(0, shape.HeadDim).Select(i => scores.Select((score, past) => score * values[past][group][i]).Sum() / scores.Sum())];
    }

    private double[][][] Heads(string weight, double[][] input, bool rotates) =>
        [.. input.Select((row, position) => Multiply(weight, row).Chunk(shape.HeadDim).Select(head => rotates ? Rotate(head, position) : head).ToArray())];

    private double[] Rotate(double[] head, int position)
    {
        var half = shape.HeadDim / 2;
        var rotated = new double[shape.HeadDim];
        for (var i = 0; i < half; i++)
        {
            var angle = position * Math.Pow(10000, -2.0 * i / shape.HeadDim);
            rotated[i] = (head[i] * Math.Cos(angle)) - (head[i + half] * Math.Sin(angle));
            rotated[i + half] = (head[i + half] * Math.Cos(angle)) + (head[i] * Math.Sin(angle));
        }

        return rotated;
    }

    private double[] Norm(double[] row, string weight)
    {
        var scale = 1 / Math.Sqrt(row.Average(value => value * value) + 1e-5);
        return [.. row.Select((value, i) => value * scale * _weights[weight][i])];
    }

    private double[] Multiply(string weight, double[] input) =>
        [.. _weights[weight].Chunk(input.Length).Select(row => row.Zip(input, (a, b) => a * b).Sum())];

    private static double[] Add(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];
}
