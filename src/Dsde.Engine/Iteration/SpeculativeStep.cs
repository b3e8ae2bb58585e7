using Dsde.Engine.Models;
using Dsde.Engine.Sampling;
using Dsde.Engine.Sequences;
using Dsde.Speculation;
using Dsde.Speculation.Guarding;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Iteration;

/// <summary>One decoding iteration (arXiv 2509.01083, section 3): draft, verify, accept, measure, commit, adapt.</summary>
internal sealed class SpeculativeStep(
    CachedDecoder target,
    CachedDecoder? draft,
    WorkloadAcceptance acceptance,
    int maxSpeculationLength,
    Device device,
    TimeProvider time
)
{
    /// <summary>
    /// Whether each pass is waited for, so that its own time is measured where a device works on its own. Iterations take longer by it.
    /// </summary>
    public bool TimesPasses { get; init; }

    /// <summary>Runs sequences once, longest block first.</summary>
    /// <param name="plan">At least one.</param>
    public (IterationSummary Summary, IterationTiming Timing) Run(IReadOnlyList<PlannedSequence> plan)
    {
        var start = time.GetTimestamp();
        using var scope = NewDisposeScope();
        var tensors = new IterationTensors(plan, target, draft, device, EarlyStops.MayHappen(plan));
        var draftStart = time.GetTimestamp();
        var draftPasses = new List<PassTiming>();
        var catchUpChoices = Draft(tensors, draftPasses);
        var verifyStart = time.GetTimestamp();
        var logits = target.Forward(tensors.VerifyPass()); // [R, V]
        AwaitPass();
        var verifyEnd = time.GetTimestamp();
        var results = IterationReadout.Read(
            tensors,
            logits,
            catchUpChoices,
            plan.Max(planned => planned.Sequence.Request.TopLogProbabilityCount)
        );

        var draftMs = time.GetElapsedTime(draftStart, verifyStart).TotalMilliseconds;
        var verifyMs = time.GetElapsedTime(verifyStart, verifyEnd).TotalMilliseconds;
        var summary = Commit(tensors, results, draftMs, verifyMs);
        var totalMs = time.GetElapsedTime(start).TotalMilliseconds;
        var samplingMs = totalMs - draftMs - verifyMs;
        CountTime(tensors, draftMs, verifyMs, samplingMs);

        var timing = new IterationTiming(draftPasses, new PassTiming(tensors.RowCount, verifyMs), totalMs);
        return (summary, timing with { LooksUp = tensors.Known.Count > 0 });
    }

    /// <summary>All draft steps. Result: the draft's choices at the catch-up rows, <c>[C] i64</c>; null if there are none.</summary>
    private Tensor? Draft(IterationTensors tensors, List<PassTiming> passes)
    {
        Tensor? catchUpChoices = null;
        for (var step = 0; step < tensors.Drafted.StepCount; step++)
        {
            var start = time.GetTimestamp();
            var rows = tensors.DraftPass(step);
            var logits = draft!.Forward(rows); // [C + n_0, V] in step 0, then [n_d, V]
            if (step == 0 && tensors.CatchUps.Count > 0)
            {
                catchUpChoices = TokenScores.Compute(logits.narrow(0, 0, tensors.CatchUps.Count), tensors.CatchUpRows).Best;
                logits = logits.narrow(0, tensors.CatchUps.Count, tensors.Drafted.ActiveIn(0));
            }

            tensors.Drafted.Logits.Add(logits);
            tensors.Drafted.TokenIds.Add(Propose(tensors, step, logits));
            if (tensors.MayStopEarly && EarlyStops.FindRanksThatGoOn(tensors, step, logits) is { Length: > 0 } ranks)
            {
                tensors.AddStep(ranks);
            }

            AwaitPass();
            passes.Add(new PassTiming(rows.RowCount, time.GetElapsedTime(start).TotalMilliseconds));
        }

        if (tensors.MayStopEarly)
        {
            tensors.EndDrafting();
        }

        return catchUpChoices;
    }

    /// <summary>Everybody has waited for all of it; what it cost is shared by proposals and rows.</summary>
    private static void CountTime(IterationTensors tensors, double draftMs, double verifyMs, double samplingMs)
    {
        var drafted = tensors.Drafted.Count;
        foreach (var planned in tensors.Plan)
        {
            var verifyShare = (planned.BlockLength + 1.0) / tensors.RowCount;
            var draftShare = drafted == 0 ? verifyShare : (double)planned.DraftedLength / drafted;
            planned.Sequence.Clock.AddIteration(draftMs, verifyMs, samplingMs, draftShare, verifyShare);
        }
    }

    private void AwaitPass()
    {
        if (TimesPasses && device.type == DeviceType.CUDA)
        {
            cuda.synchronize();
        }
    }

    private static Tensor Propose(IterationTensors tensors, int step, Tensor logits)
    {
        var rows = tensors.DraftRows(step);
        var scores = TokenScores.Compute(logits, rows);
        Tensor? drawn = null;
        if (rows.Parameters.AnyRejection)
        {
            var distribution = scores.Distribution();
            drawn = Distributions.Draw(distribution, tensors.DraftUniforms(step));
            tensors.Drafted.Distributions.Add(distribution);
        }

        var proposed = rows.Parameters.Pick(drawn, scores.Best);
        tensors.Drafted.Choices.Add(scores.Best);
        tensors.Sampling.Assume(tensors.Drafted.RanksIn(step), proposed);
        return proposed;
    }

    private IterationSummary Commit(IterationTensors tensors, IterationReadout results, double draftMs, double verifyMs)
    {
        var plan = tensors.Plan;
        foreach (var (catchUp, index) in tensors.CatchUps.Select((catchUp, index) => (catchUp, index)))
        {
            var sequence = plan[catchUp.Rank].Sequence;
            sequence.Recorder.SetDraftMatch(
                catchUp.Position - sequence.PromptLength,
                results.CatchUpChoice(index) == sequence.TokenIds[catchUp.Position]
            );
        }

        int proposed = 0,
            kept = 0,
            forced = 0,
            emitted = 0,
            withoutNumbers = 0,
            firstRow = 0;
        for (var rank = 0; rank < plan.Count; rank++)
        {
            var planned = plan[rank];
            var (sequence, chosen) = planned;
            var lengthBefore = sequence.Length;
            var measured = results.Measure(tensors, rank, firstRow);
            var keptInBlock = CommitBlock(sequence, results, tensors, rank, firstRow, measured);
            var forcedHere = Math.Min(keptInBlock, measured.Forced);
            var keptHere = keptInBlock - forcedHere;
            var verified = measured.ToStep(sequence.Request.Sampling.Temperature);
            sequence.Recorder.AddIteration(
                chosen,
                planned.ProposedBy,
                verified,
                keptHere,
                measured.Forced,
                forcedHere,
                plan.Count,
                tensors.RowCount,
                draftMs,
                verifyMs
            );
            Learn(planned, verified);
            DropRejected(planned, lengthBefore, measured);
            firstRow += planned.BlockLength + 1;
            if (sequence.Request.IsSurvey)
            {
                continue; // what it finds has been counted when the output was made
            }

            proposed += measured.Length;
            withoutNumbers += measured.DraftRowsWithoutNumbers;
            kept += keptHere;
            forced += forcedHere;
            emitted += sequence.Length - lengthBefore;
        }

        return new IterationSummary(plan.Count, proposed, kept, forced, emitted, withoutNumbers);
    }

    /// <summary>
    /// The guard learns of all proposals, a policy of the draft's, and nobody of what is forced: that it is accepted says nothing. What
    /// lookup has found is judged by what has been emitted, proposed or not.
    /// </summary>
    private void Learn(in PlannedSequence planned, in VerifiedStep verified)
    {
        var (sequence, chosen) = planned;
        var kind = sequence.Request.AcceptanceKind;
        if (planned.Match is { } match && match.Judge(sequence.TokenSpan, maxSpeculationLength) is { Length: > 0 } judged)
        {
            acceptance.ObserveLookup(kind, match.Length, sequence.LookupAcceptanceOf(match), judged);
        }

        if (planned.ProposedBy == ProposedBy.Lookup)
        {
            return;
        }

        if (!sequence.Request.IsSurvey) // it meets every mistake twice
        {
            acceptance.Observe(kind, sequence.Acceptance, verified, isRare: chosen.DecidedBy > LengthDecider.Guard);
        }

        if (verified.Proposed > 0)
        {
            sequence.PolicyState.Observe(verified);
        }
    }

    /// <summary>
    /// Commits the accepted tokens of a block and the extra token until something ends the sequence; returns the tokens of the block kept.
    /// </summary>
    private static int CommitBlock(
        Sequence sequence,
        IterationReadout results,
        IterationTensors tensors,
        int rank,
        int firstRow,
        in MeasuredProposals measured
    )
    {
        var accepted = measured.AcceptedInBlock;
        var wanted = sequence.Request.TopLogProbabilityCount;
        for (var i = 0; i < accepted; i++)
        {
            var proposal = tensors.IndexOf(i, rank);
            if (i > 0 && sequence.Request.IsSurvey && sequence.IsEnd(results.ProposedId(proposal)))
            {
                return i; // an iteration that begins at the end shows what is proposed behind it
            }

            var match = results.DraftMatch(tensors, proposal, results.ProposedId(proposal));
            if (!sequence.Commit(results.Proposed(proposal, firstRow + i, match, wanted)))
            {
                return i + 1;
            }
        }

        if (accepted > 0 && sequence.Request.IsSurvey)
        {
            return accepted; // the mistake behind them, or what they have not reached, is where the next iteration begins
        }

        if (!results.IsNumber(firstRow + accepted))
        {
            sequence.FailForNumbers(sequence.Length);
            return accepted;
        }

        var extraId = results.ExtraId(firstRow + accepted);
        var extraMatch =
            measured.Accepted < measured.Length ? results.DraftMatch(tensors, tensors.IndexOf(accepted, rank), extraId) : (sbyte)-1;
        sequence.Commit(results.Extra(firstRow + accepted, extraMatch, wanted));
        return accepted;
    }

    /// <summary>
    /// Rejection is a matter of lengths. The target has seen the last token and its whole block, of which so many count; the draft the same
    /// but for the last proposal, which it made and never read; nothing, where it did not propose. Where a model had no numbers its keys
    /// have none either, and these may not stay.
    /// </summary>
    private void DropRejected(in PlannedSequence planned, int lengthBefore, in MeasuredProposals measured)
    {
        var sequence = planned.Sequence;
        // The last token is one that the target has not read: its own, or in a survey the last proposal that was kept.
        var read = sequence is { Request.IsSurvey: true, IsOver: false } ? sequence.Length - lengthBefore - 1 : measured.AcceptedInBlock;
        if (measured.TargetHasNumbers)
        {
            target.Cache.SetLength(sequence.Slot, lengthBefore + read);
        }
        else
        {
            target.Cache.Erase(sequence.Slot, lengthBefore + read);
        }

        if (measured.DraftRowsWithoutNumbers > 0)
        {
            // Which of its keys are spoilt nobody knows, and whatever it reads next would be, too.
            sequence.IsDraftSpoilt = true;
            draft!.Cache.Erase(sequence.Slot, 0);
        }
        else if (planned.DraftedLength > 0)
        {
            draft!.Cache.SetLength(sequence.Slot, lengthBefore + Math.Min(read, planned.BlockLength - 1));
        }
    }
}
