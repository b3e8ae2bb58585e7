namespace Dsde.Speculation.Guarding;

/// <summary>What the guard is told of a sequence.</summary>
/// <param name="Wish">Tokens that its policy would propose.</param>
/// <param name="IsGuarded">Whether the guard may allow fewer; otherwise the wish is given.</param>
/// <param name="DraftLag">Tokens that the draft has not read, at least 1; 0 where its proposals come from lookup.</param>
/// <param name="Curve">Its workload's acceptance of such proposals.</param>
/// <param name="Exponent">How its own compares, θ.</param>
internal readonly record struct GuardedSequence(int Wish, bool IsGuarded, int DraftLag, SurvivalCurve Curve, double Exponent)
{
    /// <summary>Tokens that its grammar forces: rows that it has in any case, and tokens that it gains for certain.</summary>
    public int Forced { get; init; }

    /// <summary>Whether the draft would make its proposals.</summary>
    public bool WouldDraft => Wish > 0 && DraftLag > 0;
}

/// <summary>
/// Stands behind the policies: each says what it would like, and the guard gives each sequence at most that, such that the iteration is
/// expected to emit the most tokens per second, by profiled costs and observed acceptance; nothing, where plain decoding would emit more.
/// </summary>
/// <remarks>
/// A share of the time an iteration does the opposite of what was chosen: plain while there is speculation, a short speculation while there
/// is none. It keeps both ratios of measured to profiled time and the acceptance fresh, so that nothing is switched off for good, and
/// costs no more than its share. Called from the engine's thread only.
/// </remarks>
internal sealed class CostGuard
{
    /// <summary>Share of time that may be lost to hold-outs.</summary>
    public const double HoldOutShare = 0.01;

    private const int HoldOutLength = 3;
    private const int MostMissed = 2; // longest lengths in a row that bring nothing better
    private const double LeastHoldOutPrice = 0.2; // of the hold-out's own time: at break-even nothing is lost by one
    private const double GainToStart = 1.02; // what speculation must promise over plain decoding to begin; to go on it need not lose
    private readonly TimeRatios _ratios = new();
    private double _budgetMs;
    private bool _comparesKinds = true;

    /// <summary>What iterations cost; null until it is known, and then every wish is granted.</summary>
    public CostProfile? Profile { get; set; }

    /// <summary>Whether speculation seems to pay, as it does at first.</summary>
    public bool IsSpeculating { get; private set; } = true;

    /// <summary>Whether drafting seems to, when there was last something to draft: new prompts are then read by the draft too.</summary>
    public bool IsDrafting { get; private set; } = true;

    /// <summary>Whether the iteration planned last does the opposite of what seems best.</summary>
    public bool IsHoldOut { get; private set; }

    /// <summary>How much longer than profiled iterations take now.</summary>
    public TimeRatios Ratios => _ratios;

    /// <summary>Allots the proposals of the next iteration.</summary>
    /// <param name="sequences">All sequences of the batch.</param>
    /// <param name="lengths">Tokens that each may propose, to be filled in. <c>[n]</c></param>
    public void Plan(ReadOnlySpan<GuardedSequence> sequences, Span<int> lengths)
    {
        IsHoldOut = false;
        for (var i = 0; i < lengths.Length; i++)
        {
            lengths[i] = Profile is null || !sequences[i].IsGuarded ? sequences[i].Wish : 0;
        }

        if (Profile is null)
        {
            return;
        }

        var survival = new SurvivalTable(sequences);
        var given = PriceOf(sequences, survival, lengths);
        var (best, rate) = FindBest(sequences, survival, lengths);
        if (rate == 0)
        {
            return; // nobody has a wish
        }

        var pays = rate >= given.Rate * (IsSpeculating ? 1 : GainToStart);
        if (pays)
        {
            best.CopyTo(lengths);
        }

        IsSpeculating = pays || given.IsSpeculating;
        NoteDrafting(sequences, lengths);
        HoldOutIfDue(sequences, survival, lengths, given.IsSpeculating);
    }

    /// <summary>Takes in what the iteration planned last has taken.</summary>
    public void Observe(in IterationTiming timing)
    {
        if (Profile is { } profile)
        {
            _ratios.Observe(timing.Kind, IsHoldOut, timing.TotalMs / profile.Price(timing));
        }
    }

    /// <summary>
    /// Whether what lookup has found for a sequence promises at least as many tokens per second as the draft, each at its best length and
    /// as if all sequences were like this one.
    /// </summary>
    /// <param name="lookup">The sequence, its proposals from lookup.</param>
    /// <param name="draft">The same sequence, its proposals from the draft.</param>
    /// <param name="sequenceCount">Sequences in the batch.</param>
    public bool PrefersLookup(in GuardedSequence lookup, in GuardedSequence draft, int sequenceCount) =>
        Promise(lookup, sequenceCount) >= Promise(draft, sequenceCount);

    /// <summary>Tokens per millisecond; without a profile tokens.</summary>
    private double Promise(in GuardedSequence sequence, int count)
    {
        var survival = new SurvivalTable([sequence]);
        var (tokens, draftMs, best) = (1d + sequence.Forced, 0d, 0d);
        for (var step = 0; step < sequence.Wish; step++)
        {
            tokens += survival[0, step];
            if (Profile is null)
            {
                best = tokens;
                continue;
            }

            draftMs += sequence.DraftLag > 0 ? Profile.Draft.At(count) : 0;
            var kind = sequence.DraftLag > 0 ? IterationKind.Drafting : IterationKind.LookingUp;
            best = Math.Max(best, count * tokens / (_ratios.Of(kind) * Profile.Price(count * (sequence.Forced + step + 2), draftMs, kind)));
        }

        return best;
    }

    private void NoteDrafting(ReadOnlySpan<GuardedSequence> sequences, ReadOnlySpan<int> lengths)
    {
        var (wouldDraft, drafts) = (false, false);
        for (var i = 0; i < sequences.Length; i++)
        {
            wouldDraft |= sequences[i].WouldDraft;
            drafts |= sequences[i].WouldDraft && lengths[i] > 0;
        }

        IsDrafting = wouldDraft ? drafts : IsDrafting;
    }

    /// <summary>
    /// Under a longest length, the next token always goes to the sequence with the largest chance that it is reached and accepted; of all
    /// allotments on this way, for all longest lengths, the best is taken. It would not do to stop at the first token that doesn't pay: a
    /// draft pass costs nearly the same for one sequence as for all. Nor to let the likeliest sequences go on for ever: their passes are
    /// worth their price only if enough others take part.
    /// </summary>
    private (int[] Lengths, double Rate) FindBest(ReadOnlySpan<GuardedSequence> sequences, SurvivalTable survival, ReadOnlySpan<int> given)
    {
        var order = survival.OrderGuarded(sequences);
        var lengths = new int[sequences.Length];
        var (best, bestRate) = (new int[sequences.Length], 0d);
        for (int longest = 1, missed = 0; longest <= survival.MaxLength && missed < MostMissed; longest++, missed++)
        {
            given.CopyTo(lengths);
            var iteration = PriceOf(sequences, survival, given);
            foreach (var (sequence, step) in order)
            {
                if (step >= longest)
                {
                    continue;
                }

                iteration.Add(step, sequences[sequence].DraftLag, survival[sequence, step]);
                lengths[sequence]++;
                if (iteration.Rate > bestRate)
                {
                    (bestRate, missed) = (iteration.Rate, 0);
                    lengths.CopyTo(best, 0);
                }
            }
        }

        return (best, bestRate);
    }

    private void HoldOutIfDue(ReadOnlySpan<GuardedSequence> sequences, SurvivalTable survival, Span<int> lengths, bool given)
    {
        var chosen = PriceOf(sequences, survival, lengths);
        _budgetMs += HoldOutShare * chosen.Milliseconds;
        var opposite = lengths.ToArray();
        var left = FindLeftOut(sequences, lengths);
        double catchUpMs = 0;
        if (chosen.IsSpeculating && !given && (_comparesKinds || left < 0))
        {
            Array.Clear(opposite);
        }
        else if (left >= 0)
        {
            opposite[left] = Math.Min(HoldOutLength, sequences[left].Wish);
            catchUpMs = sequences[left].WouldDraft ? Profile!.Draft.At(sequences[left].DraftLag) - Profile.Draft.At(1) : 0;
        }
        else
        {
            return; // all speculate, and some would in any case
        }

        // Taken to gain no more than what is certain, and to lose the rest of what its time is worth.
        var instead = PriceOf(sequences, survival, opposite);
        var certain = instead.IsSpeculating ? chosen.Tokens : instead.Tokens;
        var lost = instead.Milliseconds - (certain / chosen.Rate);
        var price = catchUpMs + Math.Max(lost, LeastHoldOutPrice * instead.Milliseconds);
        if (_budgetMs >= price)
        {
            _budgetMs -= price;
            _comparesKinds = !_comparesKinds;
            IsHoldOut = true;
            opposite.CopyTo(lengths);
        }
    }

    private IterationUnderPlan PriceOf(ReadOnlySpan<GuardedSequence> sequences, SurvivalTable survival, ReadOnlySpan<int> lengths)
    {
        var forced = 0;
        foreach (var sequence in sequences)
        {
            forced += sequence.Forced;
        }

        var iteration = new IterationUnderPlan(Profile!, _ratios, sequences.Length, forced);
        for (var step = 0; step < survival.MaxLength; step++)
        {
            for (var i = 0; i < sequences.Length; i++)
            {
                if (lengths[i] > step)
                {
                    iteration.Add(step, sequences[i].DraftLag, survival[i, step]);
                }
            }
        }

        return iteration;
    }

    /// <summary>
    /// Of the guarded sequences that get nothing, the one whose draft has least to catch up with; −1 for none. Those of lookup come last:
    /// how they fare is known without proposing anything.
    /// </summary>
    private static int FindLeftOut(ReadOnlySpan<GuardedSequence> sequences, ReadOnlySpan<int> lengths)
    {
        var best = -1;
        for (var i = 0; i < sequences.Length; i++)
        {
            if (
                sequences[i] is { IsGuarded: true, Wish: > 0 }
                && lengths[i] == 0
                && (best < 0 || Place(sequences[i]).CompareTo(Place(sequences[best])) < 0)
            )
            {
                best = i;
            }
        }

        return best;
    }

    private static (bool, int) Place(in GuardedSequence sequence) => (!sequence.WouldDraft, sequence.DraftLag);
}
