using Dsde.Engine.Kv;
using Dsde.Engine.Sequences;

namespace Dsde.Engine.Prefill;

/// <summary>
/// Lets a prefix be computed once: a sequence that begins as another did shares the other's blocks of keys and values, of target and draft.
/// The other may run, or have ended and be retained. If it is still working on the prefix, the newcomer waits for it. Owners are always
/// admitted earlier, so that nobody waits in a circle.
/// </summary>
internal sealed class PrefixReuse(CachePair caches, RetainedPrefixes retained)
{
    /// <summary>Shorter prefixes are computed again: that is no dearer than looking after them.</summary>
    public const int MinimumLength = 16;

    /// <summary>
    /// The slot from which a sequence could take most right now; a length of 0 if it is not worth while. Its last token is always computed,
    /// because its logits are wanted.
    /// </summary>
    public (int Slot, int Length) FindPresent(Sequence sequence, IReadOnlyList<Sequence> running)
    {
        var prefix = sequence.TokenSpan[..^1];
        var best = retained.Find(prefix, caches.Target);
        for (var i = 0; i < running.Count; i++)
        {
            var length = Math.Min(caches.Target.LengthOf(running[i].Slot), prefix.CommonPrefixLength(running[i].TokenSpan));
            if (length > best.Length && running[i] != sequence && caches.Target.CanShare(running[i].Slot, length))
            {
                best = (running[i].Slot, length);
            }
        }

        return best.Length >= MinimumLength ? best : (-1, 0);
    }

    /// <summary>A sequence that will have computed a good deal more of the prefix than is present; null if there is none.</summary>
    public static AwaitedPrefix? FindAwaited(Sequence sequence, IReadOnlyList<Sequence> running, int present)
    {
        var prefix = sequence.TokenSpan[..^1];
        AwaitedPrefix? best = null;
        for (var i = 0; i < running.Count; i++)
        {
            var other = running[i];
            if (other == sequence || other.IsDecoding || (sequence.Slot >= 0 && other.AdmissionNumber > sequence.AdmissionNumber))
            {
                continue;
            }

            var length = Math.Min(other.TargetGoal, prefix.CommonPrefixLength(other.TokenSpan));
            if (length >= present + MinimumLength && length > (best?.Length ?? 0))
            {
                best = new AwaitedPrefix(other, length);
            }
        }

        return best;
    }

    /// <summary>Whether what a slot holds begins as another slot does, so that little is lost with it.</summary>
    public bool IsCovered(ReadOnlySpan<int> tokenIds, int slot, IReadOnlyList<Sequence> running)
    {
        for (var i = 0; i < running.Count; i++)
        {
            // Whoever has just left has no slot any more, and covers nothing.
            if (running[i].Slot >= 0 && running[i].Slot != slot && tokenIds.CommonPrefixLength(running[i].TokenSpan) >= MinimumLength)
            {
                return true;
            }
        }

        return retained.Find(tokenIds, caches.Target, except: slot).Length >= MinimumLength;
    }
}
