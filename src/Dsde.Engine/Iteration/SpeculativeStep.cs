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
    Device device,
    TimeProvider time
)
{
    /// <summary>
    /// Whether each pass is waited for, so that its own time is measured where a device works on its own. Iterations take longer by it.
    /// </summary>
    public bool TimesPasses { get; init; }

    /// <summary>Runs sequences once, longest speculation first.</summary>
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

        return (summary, new IterationTiming(draftPasses, new PassTiming(tensors.RowCount, verifyMs), totalMs));
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
        var proposals = tensors.RowCount - tensors.Plan.Count;
        foreach (var (sequence, chosen) in tensors.Plan)
        {
            var verifyShare = (chosen.Length + 1.0) / tensors.RowCount;
            var draftShare = proposals == 0 ? verifyShare : (double)chosen.Length / proposals;
            sequence.Clock.AddIteration(draftMs, verifyMs, samplingMs, draftShare, verifyShare);
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
            emitted = 0,
            withoutNumbers = 0,
            firstRow = 0;
        for (var rank = 0; rank < plan.Count; rank++)
        {
            var (sequence, chosen) = plan[rank];
            var lengthBefore = sequence.Length;
            var measured = results.Measure(tensors, rank, firstRow, chosen.Length);
            var keptHere = CommitBlock(sequence, results, tensors, rank, firstRow, measured);
            var verified = measured.ToStep(sequence.Request.Sampling.Temperature);
            sequence.Recorder.AddIteration(chosen, verified, keptHere, plan.Count, tensors.RowCount, draftMs, verifyMs);
            if (!sequence.Request.IsSurvey) // it meets every mistake twice
            {
                acceptance.Observe(
                    sequence.Request.AcceptanceKind,
                    sequence.Acceptance,
                    verified,
                    isRare: chosen.DecidedBy > LengthDecider.Guard
                );
            }

            if (measured.Length > 0)
            {
                sequence.PolicyState.Observe(verified);
            }

            DropRejected(sequence, lengthBefore, chosen.Length, measured);
            firstRow += chosen.Length + 1;
            if (sequence.Request.IsSurvey)
            {
                continue; // what it finds has been counted when the output was made
            }

            proposed += measured.Length;
            withoutNumbers += measured.DraftRowsWithoutNumbers;
            kept += keptHere;
            emitted += sequence.Length - lengthBefore;
        }

        return new IterationSummary(plan.Count, proposed, kept, emitted, withoutNumbers);
    }

    /// <summary>Commits the accepted proposals and the extra token until something ends the sequence; returns the proposals kept.</summary>
    private static int CommitBlock(
        Sequence sequence,
        IterationReadout results,
        IterationTensors tensors,
        int rank,
        int firstRow,
        in MeasuredProposals measured
    )
    {
        var accepted = measured.Accepted;
        var wanted = sequence.Request.TopLogProbabilityCount;
        for (var i = 0; i < accepted; i++)
        {
            var proposal = tensors.Drafted.IndexOf(i, rank);
            if (i > 0 && sequence.Request.IsSurvey && sequence.IsEnd(results.ProposedId(proposal)))
            {
                return i; // an iteration that begins at the end shows what is proposed behind it
            }

            var matches = results.DraftChoice(proposal) == results.ProposedId(proposal);
            if (!sequence.Commit(results.Proposed(proposal, firstRow + i, matches ? (sbyte)1 : (sbyte)0, wanted)))
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
        sbyte match = -1;
        if (accepted < measured.Length)
        {
            var rejected = tensors.Drafted.IndexOf(accepted, rank);
            match = results.DraftChoice(rejected) == extraId ? (sbyte)1 : (sbyte)0;
        }

        sequence.Commit(results.Extra(firstRow + accepted, match, wanted));
        return accepted;
    }

    /// <summary>
    /// Rejection is a matter of lengths. The target has seen the last token and all k proposals, of which a count; the draft the same but
    /// for the k-th proposal, which it made and never read. Where a model had no numbers its keys have none either, and these may not stay.
    /// </summary>
    private void DropRejected(Sequence sequence, int lengthBefore, int speculationLength, in MeasuredProposals measured)
    {
        // The last token is one that the target has not read: its own, or in a survey the last proposal that was kept.
        var read = sequence is { Request.IsSurvey: true, IsOver: false } ? sequence.Length - lengthBefore - 1 : measured.Accepted;
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
        else if (speculationLength > 0)
        {
            draft!.Cache.SetLength(sequence.Slot, lengthBefore + Math.Min(read, speculationLength - 1));
        }
    }
}
