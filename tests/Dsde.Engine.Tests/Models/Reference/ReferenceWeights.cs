namespace Dsde.Engine.Tests.Models.Reference;

/// <summary>The stored weights in double precision, and the two things done with them.</summary>
internal sealed class ReferenceWeights(TestModelShape shape)
{
    private const double Eps = 1e-5;

    private readonly Dictionary<string, double[]> _values = shape
        .Weights()
        .ToDictionary(
            weight => weight.Name,
            weight => TestModelFolder.Values(weight.Name, weight.Shape, shape).Select(value => (double)value).ToArray()
        );

    public double[] this[string name] => _values[name];

    /// <summary>W·x, and + b where there is a bias.</summary>
    public double[] Multiply(string layer, double[] input)
    {
        var weight = _values[layer + ".weight"];
        var bias = _values.GetValueOrDefault(layer + ".bias");
        var output = new double[weight.Length / input.Length];
        for (var row = 0; row < output.Length; row++)
        {
            output[row] = bias?[row] ?? 0;
            for (var column = 0; column < input.Length; column++)
            {
                output[row] += weight[(row * input.Length) + column] * input[column];
            }
        }

        return output;
    }

    /// <summary>x / root-mean-square(x) · w, or · (1 + w) in Gemma.</summary>
    public double[] Norm(string layer, double[] input)
    {
        var weight = _values[layer + ".weight"];
        var size = Math.Sqrt((input.Sum(value => value * value) / input.Length) + Eps);
        return [.. input.Select((value, i) => value / size * (shape.Family == TestFamily.Gemma2 ? 1 + weight[i] : weight[i]))];
    }
}
