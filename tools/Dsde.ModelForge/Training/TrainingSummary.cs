namespace Dsde.ModelForge.Training;

/// <summary>What a training run came to.</summary>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="Tokens">Tokens seen.</param>
/// <param name="Duration">Wall-clock time.</param>
/// <param name="HeldOutLoss">Mean loss by workload on held-out documents, in nats per token.</param>
internal sealed record TrainingSummary(int Steps, long Tokens, TimeSpan Duration, IReadOnlyDictionary<string, double> HeldOutLoss);
