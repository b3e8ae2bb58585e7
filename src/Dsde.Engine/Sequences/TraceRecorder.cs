using Dsde.Engine.Sampling;
using Dsde.Engine.Telemetry;
using Dsde.Speculation;

namespace Dsde.Engine.Sequences;

/// <summary>Gathers what happens to one sequence; the engine's thread only.</summary>
internal sealed class TraceRecorder
{
    private readonly List<Iteration> _iterations = [];
    private readonly List<float> _kld = [],
        _beta = [],
        _entropy = [],
        _logProbabilities = [],
        _margins = [];
    private readonly List<bool> _onPath = [];
    private readonly List<sbyte> _draftMatches = [];
    private readonly List<IReadOnlyList<TokenLogProbability>> _mostProbable = [];
    private int _lookupProposed;
    private int _lookupAccepted;
    private int _forced;

    /// <summary>Log-probability of each committed token.</summary>
    public IReadOnlyList<float> LogProbabilities => _logProbabilities;

    /// <summary>Tokens proposed.</summary>
    public int Proposed => _kld.Count;

    /// <summary>Tokens proposed in the latest iteration, and who decided that; null before the first.</summary>
    public (int Proposed, LengthDecider DecidedBy)? Latest =>
        _iterations is [.., var latest] ? (latest.Proposed, latest.Plan.DecidedBy) : null;

    /// <summary>Whether the draft has proposed anything, by logits that were numbers.</summary>
    public bool HasDrafted => _kld.Count > _lookupProposed;

    /// <summary>Proposed tokens that were accepted and kept.</summary>
    public int AcceptedAndKept { get; private set; }

    /// <summary>Most probable tokens at the position of each committed token.</summary>
    public IReadOnlyList<IReadOnlyList<TokenLogProbability>> MostProbable => _mostProbable;

    /// <summary>Takes over what was recorded before a checkpoint; only while nothing is recorded yet.</summary>
    public void Restore(SequenceCheckpoint checkpoint)
    {
        var (trace, steps) = (checkpoint.Trace, checkpoint.Trace.Iterations);
        for (var i = 0; i < steps.SpeculationLength.Length; i++)
        {
            var plan = new SpeculationPlan(
                steps.SpeculationLength[i],
                steps.PredictedLength[i],
                steps.ScaleFactor[i],
                steps.Wvir[i],
                steps.Cap[i]
            )
            {
                Wish = steps.Wish[i],
                Allowed = steps.Allowed[i],
                DecidedBy = steps.DecidedBy[i],
            };
            _iterations.Add(
                new Iteration(
                    plan,
                    steps.SpeculationLength[i],
                    steps.Accepted[i],
                    steps.BatchSize[i],
                    steps.BatchRows[i],
                    steps.DraftMs[i],
                    steps.VerifyMs[i],
                    steps.ProposedBy[i],
                    steps.Forced[i]
                )
            );
        }

        (AcceptedAndKept, _lookupProposed, _lookupAccepted) = (trace.Accepted, trace.LookupProposed, trace.LookupAccepted);
        _forced = trace.Forced;
        _kld.AddRange(trace.Proposals.Kld);
        _beta.AddRange(trace.Proposals.Beta);
        _entropy.AddRange(trace.Proposals.DraftEntropy);
        _onPath.AddRange(trace.Proposals.OnPath);
        _logProbabilities.AddRange(checkpoint.TokenLogProbabilities);
        _mostProbable.AddRange(checkpoint.TopLogProbabilities);
        _margins.AddRange(trace.Tokens.Margin);
        _draftMatches.AddRange(trace.Tokens.DraftMatch);
    }

    /// <summary>Takes in one committed token.</summary>
    public void AddToken(in CommittedToken token)
    {
        _logProbabilities.Add(token.LogProbability);
        _margins.Add(token.Margin);
        _draftMatches.Add(token.DraftMatch);
        if (token.MostProbable.Count > 0)
        {
            _mostProbable.Add(token.MostProbable);
        }
    }

    /// <summary>Says what the draft would have chosen at a committed token, where that became known only later.</summary>
    public void SetDraftMatch(int tokenIndex, bool matches) => _draftMatches[tokenIndex] = matches ? (sbyte)1 : (sbyte)0;

    /// <summary>Takes in one iteration.</summary>
    /// <param name="plan">What was planned for the sequence.</param>
    /// <param name="proposedBy">Who proposed.</param>
    /// <param name="step">What came of it.</param>
    /// <param name="kept">Accepted tokens that were committed.</param>
    /// <param name="forced">Tokens that the grammar forced, before these.</param>
    /// <param name="forcedKept">Of them, those that were committed.</param>
    /// <param name="batchSize">Sequences in the batch.</param>
    /// <param name="batchRows">Rows of the batch's target pass.</param>
    /// <param name="draftMs">Of the batch's draft passes.</param>
    /// <param name="verifyMs">Of the batch's target pass.</param>
    public void AddIteration(
        SpeculationPlan plan,
        ProposedBy proposedBy,
        in VerifiedStep step,
        int kept,
        int forced,
        int forcedKept,
        int batchSize,
        int batchRows,
        double draftMs,
        double verifyMs
    )
    {
        var by = step.Proposed == 0 ? ProposedBy.Nobody : proposedBy;
        _iterations.Add(
            new Iteration(plan, step.Proposed, step.Accepted, batchSize, batchRows, (float)draftMs, (float)verifyMs, by, forced)
        );
        AcceptedAndKept += kept;
        _forced += forcedKept;
        if (by == ProposedBy.Lookup)
        {
            _lookupProposed += step.Proposed;
            _lookupAccepted += kept;
        }

        _kld.AddRange(step.Kld);
        _beta.AddRange(step.Beta);
        _entropy.AddRange(step.DraftEntropy);
        for (var i = 0; i < step.Proposed; i++)
        {
            _onPath.Add(i <= step.Accepted);
        }
    }

    /// <summary>The finished trace.</summary>
    public GenerationTrace ToTrace(Sequence sequence, GenerationTimes times) =>
        new()
        {
            Policy = sequence.Policy.Name,
            IsGuarded = sequence.IsGuarded,
            SamplingMode = sequence.Request.Sampling.EffectiveMode,
            Seed = sequence.Request.Sampling.Seed,
            PromptTokens = sequence.PromptLength,
            ReusedPromptTokens = sequence.ReusedPromptTokens,
            CompletionTokens = sequence.EmittedCount,
            Proposed = Proposed,
            Accepted = AcceptedAndKept,
            Proposer = sequence.Request.Proposer ?? Proposer.Draft,
            LookupProposed = _lookupProposed,
            LookupAccepted = _lookupAccepted,
            Forced = _forced,
            CalibrationMaxAccepted = sequence.PolicyState.CalibrationMaxAccepted,
            CalibrationMaxLength = sequence.PolicyState.CalibrationMaxLength,
            Iterations = new IterationSeries
            {
                SpeculationLength = [.. _iterations.Select(iteration => iteration.Proposed)],
                Accepted = [.. _iterations.Select(iteration => iteration.Accepted)],
                Wish = [.. _iterations.Select(iteration => iteration.Plan.Wish)],
                Allowed = [.. _iterations.Select(iteration => iteration.Plan.Allowed)],
                DecidedBy = [.. _iterations.Select(iteration => iteration.Plan.DecidedBy)],
                PredictedLength = [.. _iterations.Select(iteration => iteration.Plan.PredictedLength)],
                ScaleFactor = [.. _iterations.Select(iteration => iteration.Plan.ScaleFactor)],
                Wvir = [.. _iterations.Select(iteration => iteration.Plan.Wvir)],
                Cap = [.. _iterations.Select(iteration => iteration.Plan.Cap)],
                BatchSize = [.. _iterations.Select(iteration => iteration.BatchSize)],
                BatchRows = [.. _iterations.Select(iteration => iteration.BatchRows)],
                DraftMs = [.. _iterations.Select(iteration => iteration.DraftMs)],
                VerifyMs = [.. _iterations.Select(iteration => iteration.VerifyMs)],
                ProposedBy = [.. _iterations.Select(iteration => iteration.ProposedBy)],
                Forced = [.. _iterations.Select(iteration => iteration.Forced)],
            },
            Proposals = new ProposalSeries
            {
                Kld = [.. _kld],
                Beta = [.. _beta],
                DraftEntropy = [.. _entropy],
                OnPath = [.. _onPath],
            },
            Tokens = new TokenSeries { Margin = [.. _margins], DraftMatch = [.. _draftMatches] },
            Times = times,
        };

    private readonly record struct Iteration(
        SpeculationPlan Plan,
        int Proposed,
        int Accepted,
        int BatchSize,
        int BatchRows,
        float DraftMs,
        float VerifyMs,
        ProposedBy ProposedBy,
        int Forced
    );
}
