namespace Dsde.Engine;

/// <summary>The engine's counters at a moment. All counts are since its start.</summary>
/// <param name="Running">Sequences in the batch now.</param>
/// <param name="Waiting">Requests waiting for a slot now.</param>
/// <param name="Iterations">Iterations done.</param>
/// <param name="Proposed">Draft tokens proposed.</param>
/// <param name="Accepted">Draft tokens accepted and kept.</param>
/// <param name="Emitted">Tokens emitted and kept.</param>
/// <param name="MeanSpeculationLength">Mean speculation length of the last iteration's sequences.</param>
public readonly record struct EngineSnapshot(
    int Running, int Waiting, long Iterations, long Proposed, long Accepted, long Emitted, double MeanSpeculationLength);
