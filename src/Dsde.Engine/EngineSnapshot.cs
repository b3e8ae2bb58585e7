namespace Dsde.Engine;

/// <summary>The engine's counters at a moment. All counts are since its start.</summary>
/// <param name="Running">Sequences in the batch now.</param>
/// <param name="Waiting">Requests waiting for a slot now.</param>
/// <param name="Iterations">Iterations done.</param>
/// <param name="Proposed">Draft tokens proposed.</param>
/// <param name="Accepted">Draft tokens accepted and kept.</param>
/// <param name="Emitted">Tokens emitted and kept.</param>
/// <param name="MeanSpeculationLength">Mean speculation length of the last iteration's sequences.</param>
/// <param name="PromptTokens">Tokens of the prompts admitted.</param>
/// <param name="ReusedPromptTokens">Of these, taken from sequences that begin alike instead of being computed.</param>
/// <param name="BatchLimit">Most sequences that may run at once now: the batch size, or less after the device ran out of memory.</param>
/// <param name="OutOfMemory">Times the device ran out of memory.</param>
/// <param name="LiveTensors">Tensors that the engine's thread has made and not freed; flat over time.</param>
/// <param name="AllocatedBytes">Managed memory that the engine's thread has allocated, in bytes.</param>
public readonly record struct EngineSnapshot(
    int Running,
    int Waiting,
    long Iterations,
    long Proposed,
    long Accepted,
    long Emitted,
    double MeanSpeculationLength,
    long PromptTokens = 0,
    long ReusedPromptTokens = 0,
    int BatchLimit = 0,
    long OutOfMemory = 0,
    long LiveTensors = 0,
    long AllocatedBytes = 0
);
