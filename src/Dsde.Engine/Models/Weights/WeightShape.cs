namespace Dsde.Engine.Models.Weights;

/// <summary>What a folder must store under a name.</summary>
/// <param name="Name">Hugging Face's name for the weight.</param>
/// <param name="Shape">Lengths of its dimensions.</param>
internal sealed record WeightShape(string Name, params IReadOnlyList<long> Shape);
