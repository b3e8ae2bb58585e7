using Dsde.Speculation;

namespace Dsde.Engine;

/// <summary>The engine's counters at a moment. All counts are since its start.</summary>
/// <param name="Running">Sequences in the batch now.</param>
/// <param name="Waiting">Requests waiting for a slot now.</param>
/// <param name="Iterations">Iterations done.</param>
/// <param name="Proposed">Tokens proposed, by the draft or by lookup.</param>
/// <param name="Accepted">Proposed tokens accepted and kept.</param>
/// <param name="Emitted">Tokens emitted and kept.</param>
/// <param name="PromptTokens">Tokens of the prompts admitted.</param>
/// <param name="ReusedPromptTokens">Of these, taken from sequences that begin alike instead of being computed.</param>
/// <param name="BatchLimit">Most sequences that may run at once now: the batch size, or less after the device ran out of memory.</param>
/// <param name="OutOfMemory">Times the device ran out of memory.</param>
/// <param name="LiveTensors">Tensors that the engine's thread has made and not freed; flat over time.</param>
/// <param name="AllocatedBytes">Managed memory that the engine's thread has allocated, in bytes.</param>
/// <param name="HasWork">Whether a request runs, waits or has just been handed over; false while the engine sleeps.</param>
/// <param name="SinceAdvance">
/// How long ago the engine's thread last got anywhere: began a round, ended a prefill pass or ended an iteration. While it sleeps this
/// grows without meaning anything; the arrival of a request starts it anew.
/// </param>
/// <param name="LongestAdvance">The longest it has taken from one such step to the next so far, loading apart.</param>
/// <param name="DraftRowsWithoutNumbers">
/// Rows of the draft whose logits were NaN or infinite: nothing was proposed there, and no more for that sequence.
/// </param>
/// <param name="KvBlocks">Blocks for keys and values of the target, of 32 positions each.</param>
/// <param name="KvBlocksFree">Of these, held by nobody: neither by a sequence nor for prompts to come that begin alike.</param>
/// <param name="Suspensions">Times a sequence had to go back to the queue because blocks ran out.</param>
/// <param name="Forced">Tokens that grammars forced, proposed without a model and kept; among neither those proposed nor accepted.</param>
public readonly record struct EngineSnapshot(
    int Running,
    int Waiting,
    long Iterations,
    long Proposed,
    long Accepted,
    long Emitted,
    long PromptTokens = 0,
    long ReusedPromptTokens = 0,
    int BatchLimit = 0,
    long OutOfMemory = 0,
    long LiveTensors = 0,
    long AllocatedBytes = 0,
    bool HasWork = false,
    TimeSpan SinceAdvance = default,
    TimeSpan LongestAdvance = default,
    long DraftRowsWithoutNumbers = 0,
    int KvBlocks = 0,
    int KvBlocksFree = 0,
    long Suspensions = 0,
    long Forced = 0
)
{
    /// <summary>How many times the longest step a step may take before it counts as hung.</summary>
    private const int Surprise = 8;

    /// <summary>
    /// How often a sequence has proposed so many tokens in an iteration: none, one, two and so on, up to the most that has been proposed.
    /// Their sum is how often sequences have taken part in iterations; surveys don't count.
    /// </summary>
    public IReadOnlyList<long> Lengths
    {
        get => field ?? [];
        init;
    }

    /// <summary>How often each <see cref="LengthDecider"/>, by its number, was decisive for such a length.</summary>
    public IReadOnlyList<long> Decisions
    {
        get => field ?? [];
        init;
    }

    /// <summary>
    /// Whether the cost guard expected speculation to pay when it was last asked; null where nothing is guarded: without a profile of
    /// costs.
    /// </summary>
    public bool? IsSpeculating { get; init; }

    /// <summary>
    /// Whether the engine's thread seems to hang in a call that doesn't return (a device that died, threads that wait for each other). The
    /// largest thing between two advances is one prefill pass of <see cref="EngineOptions.PrefillTokenBudget"/> tokens, or one iteration:
    /// at most <see cref="EngineOptions.MaxSpeculationLength"/> draft passes and one pass of the target over the batch, and the first of
    /// each loads the device's kernels. On GPUs that is seconds at the most, on CPUs a prefill pass of a large model may take a minute.
    /// Hence an engine is only stuck if it took longer than <paramref name="patience"/> and longer than eight times the longest step it has
    /// shown.
    /// </summary>
    /// <param name="patience">The least time to wait, for steps longer than any before; more than the first prefill pass takes. Minutes,
    /// not seconds.</param>
    public bool IsStuck(TimeSpan patience) =>
        HasWork && SinceAdvance > (patience > LongestAdvance * Surprise ? patience : LongestAdvance * Surprise);
}
