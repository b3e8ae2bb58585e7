using Dsde.Engine.Iteration;
using Dsde.Engine.Kv;
using Dsde.Engine.Sequences;

namespace Dsde.Engine.Batching;

/// <summary>
/// Works out whether blocks for keys and values suffice: for a sequence that wants to run, and for the round to come. Bounds, not
/// predictions: what a round takes depends on plans that are made later.
/// </summary>
/// <param name="caches">Both models'.</param>
/// <param name="maxSpeculationLength">Most proposals of a sequence in an iteration.</param>
/// <param name="prefillTokenBudget">Most tokens of all sequences worked through before an iteration.</param>
internal sealed class KvRoom(CachePair caches, int maxSpeculationLength, int prefillTokenBudget)
{
    /// <summary>Rows that a sequence has at most in an iteration.</summary>
    private int Step => maxSpeculationLength + 1;

    /// <summary>Whether a sequence can be admitted; see <see cref="RunningBatch.HasRoomFor"/>.</summary>
    /// <param name="sequence">A sequence that waits.</param>
    /// <param name="running">Those that run.</param>
    /// <param name="present">The slot that it would share a prefix with, and how much of it.</param>
    /// <param name="awaited">What it would get of another sequence later; 0 for nothing.</param>
    public bool Fits(Sequence sequence, IReadOnlyList<Sequence> running, (int Slot, int Length) present, int awaited) =>
        Fits(caches.Target, sequence, running, present, awaited)
        && (caches.Draft is not { } draft || !sequence.UsesDraft || Fits(draft, sequence, running, present, awaited));

    /// <summary>Whether the free blocks suffice for the passes of a round, whatever is planned.</summary>
    public bool IsEnough(IReadOnlyList<Sequence> running) =>
        NeedOfRound(caches.Target, running, isDraft: false) <= caches.Target.FreeBlockCount
        && (caches.Draft is not { } draft || NeedOfRound(draft, running, isDraft: true) <= draft.FreeBlockCount);

    private bool Fits(KvCache cache, Sequence sequence, IReadOnlyList<Sequence> running, (int Slot, int Length) present, int awaited)
    {
        // Blocks that are in use for good: others are free, or retained and can be evicted.
        cache.Table.BeginCount();
        var used = 0;
        var promised = 0;
        foreach (var other in running)
        {
            used += cache.Table.Count(other.Slot, int.MaxValue);
            var missing = Math.Min(Missing(cache, other, End(other)), cache.MostBlocks(End(other), prefillTokenBudget + Step));
            promised += Math.Max(0, missing - WholeBlocks((other.Awaited?.Length ?? 0) - cache.LengthOf(other.Slot)));
        }

        var shared = Math.Min(present.Length, present.Slot < 0 ? 0 : cache.LengthOf(present.Slot));
        used += present.Slot < 0 ? 0 : cache.Table.Count(present.Slot, shared / BlockTable.BlockLength);
        var needed = cache.MostBlocks(End(sequence), prefillTokenBudget + Step) - WholeBlocks(Math.Max(shared, awaited));
        return used + promised + Math.Max(1, needed) <= cache.BlockCount;
    }

    private int NeedOfRound(KvCache cache, IReadOnlyList<Sequence> running, bool isDraft)
    {
        int steps = 0,
            chunks = 0,
            chunkCount = 0;
        foreach (var sequence in running)
        {
            if (sequence.Awaited is not null || (isDraft && (!sequence.UsesDraft || sequence.IsDraftSpoilt)))
            {
                continue;
            }

            var length = cache.LengthOf(sequence.Slot);
            if (sequence.IsDecoding && sequence.Length - length <= SpeculationPlanner.MostCatchUp)
            {
                steps += Missing(cache, sequence, End(sequence));
            }
            else
            {
                chunks += Missing(cache, sequence, Math.Min(End(sequence), length + prefillTokenBudget + Step));
                chunkCount++;
            }
        }

        // All chunks together keep to the budget; each may begin in a shared block and end, with an iteration, in another begun.
        var most = BlockTable.BlocksFor(prefillTokenBudget) + (chunkCount * (BlockTable.BlocksFor(Step) + 3));
        return steps + Math.Min(chunks, most);
    }

    /// <summary>Positions that a sequence has at most after what it begins with and an iteration, or after its next iteration.</summary>
    private int End(Sequence sequence) => sequence.Length + Math.Min(Step, sequence.MaxProposals);

    private static int Missing(KvCache cache, Sequence sequence, int end) =>
        cache.Table.CountMissing(sequence.Slot, cache.LengthOf(sequence.Slot), end);

    private static int WholeBlocks(int length) => Math.Max(0, length) / BlockTable.BlockLength;
}
