using Dsde.Engine.Models;
using Dsde.Engine.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Scheduling;

/// <summary>
/// Everything about an iteration that the host knows before it starts - layouts of all passes, tokens, indices, uniforms, sampling
/// parameters - worked out once and taken to the device in two transfers. Sequences are known by their rank in the plan.
/// </summary>
internal sealed class IterationTensors
{
    private readonly IndexStage _stage = new();
    private readonly List<PassLayout> _draftLayouts = [];
    private readonly PassLayout _verifyLayout;
    private readonly (int, int) _catchUpTokens, _lastTokens, _verifyTokens, _proposedRows, _rowRanks;
    private readonly Tensor _uniforms;
    private readonly int _proposalCount;

    public IterationTensors(IReadOnlyList<PlannedSequence> plan, CachedDecoder target, CachedDecoder? draft, Device device)
    {
        Drafted = new DraftedTokens(plan.Select(planned => planned.Plan.Length).ToArray());
        _proposalCount = Drafted.Count;
        if (Drafted.StepCount > 0)
        {
            var catchUpLayout = new PassLayout(draft!.Cache.MaxLength);
            (_catchUpTokens, CatchUps) = StageCatchUp(plan, catchUpLayout, draft);
            _draftLayouts.Add(catchUpLayout);
            StageLaterDrafts(plan, draft);
        }

        _verifyLayout = StageVerify(plan, target, out _lastTokens, out _verifyTokens, out _proposedRows, out _rowRanks);
        _stage.Upload(device);
        _uniforms = from_array(Uniforms(plan), device: device);
        Sampling = SamplingRows.Create([.. plan.Select(planned => planned.Sequence.Request.Sampling)], device);
    }

    /// <summary>The draft's steps, to be filled in.</summary>
    public DraftedTokens Drafted { get; }

    /// <summary>Sampling parameters by rank. <c>[B]</c></summary>
    public SamplingRows Sampling { get; }

    /// <summary>
    /// Logit rows of the catch-up pass that are not a step's own: the rank they belong to and the position they predict. Rows come as listed, before
    /// the rows of the ranks that draft.
    /// </summary>
    public IReadOnlyList<(int Rank, int Position)> CatchUps { get; } = [];

    /// <summary>Verified rows (R).</summary>
    public int RowCount => _verifyLayout.RowCount;

    /// <summary>The row that judges each proposal. <c>[P] i64</c></summary>
    public Tensor ProposedRows => _stage.Slice(_proposedRows);

    /// <summary>Rank of each verified row. <c>[R] i64</c></summary>
    public Tensor RowRanks => _stage.Slice(_rowRanks);

    /// <summary>For acceptance. <c>[P] f32</c></summary>
    public Tensor AcceptUniforms => _uniforms.narrow(0, _proposalCount, _proposalCount);

    /// <summary>For the extra token of each row. <c>[R] f32</c></summary>
    public Tensor ExtraUniforms => _uniforms.narrow(0, 2L * _proposalCount, RowCount);

    /// <summary>For the proposals of a step. <c>[n_d] f32</c></summary>
    public Tensor DraftUniforms(int step) => _uniforms.narrow(0, Drafted.IndexOf(step, 0), Drafted.ActiveIn(step));

    /// <summary>The pass of a draft step.</summary>
    public PassRows DraftPass(int step) =>
        _draftLayouts[step].Bind(_stage, step == 0 ? _stage.Slice(_catchUpTokens) : Drafted.TokenIds[step - 1].narrow(0, 0, Drafted.ActiveIn(step)));

    /// <summary>The target's pass, once all is drafted.</summary>
    public PassRows VerifyPass()
    {
        var lastTokens = _stage.Slice(_lastTokens);
        var all = Drafted.Count == 0 ? lastTokens : cat([lastTokens, .. Drafted.TokenIds]);
        return _verifyLayout.Bind(_stage, all.index_select(0, _stage.Slice(_verifyTokens)));
    }

    /// <summary>
    /// The draft first takes in what it has not seen: one token after a rejection, two after full acceptance, more after iterations without a draft.
    /// Its earlier rows tell what the draft would have said at tokens committed since; the last row starts the draft.
    /// </summary>
    private ((int, int) Tokens, List<(int Rank, int Position)> CatchUps) StageCatchUp(
        IReadOnlyList<PlannedSequence> plan, PassLayout layout, CachedDecoder draft)
    {
        var tokens = new List<long>();
        var earlier = new List<long>();
        var last = new List<long>();
        var catchUps = new List<(int, int)>();
        for (var rank = 0; rank < Drafted.ActiveIn(0); rank++)
        {
            var sequence = plan[rank].Sequence;
            var seen = draft.Cache.LengthOf(sequence.Slot);
            layout.Add(sequence.Slot, seen, sequence.Length - seen);
            for (var position = seen; position < sequence.Length; position++)
            {
                if (position + 1 < sequence.Length && position + 1 >= sequence.PromptLength)
                {
                    earlier.Add(tokens.Count);
                    catchUps.Add((rank, position + 1));
                }

                tokens.Add(sequence.TokenIds[position]);
            }

            last.Add(tokens.Count - 1);
        }

        layout.Stage(_stage, [.. earlier, .. last]);
        return (_stage.Add(tokens.ToArray()), catchUps);
    }

    private void StageLaterDrafts(IReadOnlyList<PlannedSequence> plan, CachedDecoder draft)
    {
        for (var step = 1; step < Drafted.StepCount; step++)
        {
            var layout = new PassLayout(draft.Cache.MaxLength);
            for (var rank = 0; rank < Drafted.ActiveIn(step); rank++)
            {
                layout.Add(plan[rank].Sequence.Slot, plan[rank].Sequence.Length + step - 1, 1);
            }

            layout.Stage(_stage, []);
            _draftLayouts.Add(layout);
        }
    }

    private PassLayout StageVerify(
        IReadOnlyList<PlannedSequence> plan, CachedDecoder target,
        out (int, int) lastTokens, out (int, int) verifyTokens, out (int, int) proposedRows, out (int, int) rowRanks)
    {
        var layout = new PassLayout(target.Cache.MaxLength);
        var sources = new List<long>();
        var ranks = new List<long>();
        var judges = new long[Drafted.Count];
        for (var rank = 0; rank < plan.Count; rank++)
        {
            var (sequence, chosen) = plan[rank];
            layout.Add(sequence.Slot, sequence.Length - 1, chosen.Length + 1);
            for (var i = 0; i <= chosen.Length; i++)
            {
                if (i < chosen.Length)
                {
                    judges[Drafted.IndexOf(i, rank)] = sources.Count;
                }

                sources.Add(i == 0 ? rank : plan.Count + Drafted.IndexOf(i - 1, rank));
                ranks.Add(rank);
            }
        }

        layout.Stage(_stage, []);
        lastTokens = _stage.Add(plan.Select(planned => (long)planned.Sequence.TokenIds[^1]).ToArray());
        verifyTokens = _stage.Add(sources.ToArray());
        proposedRows = _stage.Add(judges);
        rowRanks = _stage.Add(ranks.ToArray());
        return layout;
    }

    /// <summary>Draft draws, then acceptance draws, both in step order, then the extra draws in row order.</summary>
    private float[] Uniforms(IReadOnlyList<PlannedSequence> plan)
    {
        var uniforms = new float[(2 * Drafted.Count) + RowCount];
        var row = 2 * Drafted.Count;
        for (var rank = 0; rank < plan.Count; rank++)
        {
            var (sequence, chosen) = plan[rank];
            var seed = sequence.Request.Sampling.Seed;
            for (var i = 0; i <= chosen.Length; i++)
            {
                uniforms[row++] = CounterRandom.Uniform(seed, CounterRandom.Purpose.Extra, sequence.Length, sequence.Length + i);
                if (i < chosen.Length)
                {
                    var index = Drafted.IndexOf(i, rank);
                    uniforms[index] = CounterRandom.Uniform(seed, CounterRandom.Purpose.Draft, sequence.Length, sequence.Length + i);
                    uniforms[Drafted.Count + index] = CounterRandom.Uniform(seed, CounterRandom.Purpose.Accept, sequence.Length, sequence.Length + i);
                }
            }
        }

        return uniforms;
    }
}
