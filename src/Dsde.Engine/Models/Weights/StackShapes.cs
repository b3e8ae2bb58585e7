namespace Dsde.Engine.Models.Weights;

/// <summary>Linear layers that read the same input, as folders have them: a weight each, and a bias each or none.</summary>
/// <param name="InputWidth">Length of each weight's rows.</param>
/// <param name="HasBias">Whether each has a bias.</param>
/// <param name="Parts">Names, without <c>.weight</c> and <c>.bias</c>, and how many outputs each has.</param>
internal sealed record StackShapes(long InputWidth, bool HasBias, params IReadOnlyList<(string Name, long Width)> Parts)
{
    /// <summary>Whether the first half of the outputs gates the second.</summary>
    public bool IsGated { get; init; }

    /// <summary>Names of the weights, <c>[width, input]</c> each.</summary>
    public IEnumerable<string> Weights => Parts.Select(part => $"{part.Name}.weight");

    /// <summary>Names of the biases, <c>[width]</c> each.</summary>
    public IEnumerable<string> Biases => HasBias ? Parts.Select(part => $"{part.Name}.bias") : [];

    /// <summary>Everything that a folder stores of it.</summary>
    public IEnumerable<WeightShape> All =>
        Weights
            .Zip(Parts, (name, part) => new WeightShape(name, part.Width, InputWidth))
            .Concat(Biases.Zip(Parts, (name, part) => new WeightShape(name, part.Width)));
}
