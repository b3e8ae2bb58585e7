using Dsde.Engine.Sequences;

namespace Dsde.Engine.Prefill;

/// <summary>
/// What a sequence gets of one pass outside iterations: positions [first, end) of either model, or none where first and end are equal.
/// </summary>
/// <param name="Sequence">The sequence.</param>
/// <param name="TargetFirst">Where the target goes on.</param>
/// <param name="TargetEnd">How far it gets.</param>
/// <param name="DraftFirst">Where the draft goes on.</param>
/// <param name="DraftEnd">How far it gets.</param>
internal readonly record struct PrefillChunk(Sequence Sequence, int TargetFirst, int TargetEnd, int DraftFirst, int DraftEnd)
{
    /// <summary>Positions that either model works through.</summary>
    public int RowCount => TargetEnd - TargetFirst + DraftEnd - DraftFirst;

    /// <summary>Whether iterations can begin after it.</summary>
    public bool Completes => !Sequence.IsDecoding && TargetEnd >= Sequence.TargetGoal && DraftEnd >= Sequence.DraftGoal;

    /// <summary>Whether the target's logits of its last position give the sequence's first token.</summary>
    public bool EmitsFirstToken => Completes && Sequence.EmittedCount == 0;
}
