using Dsde.Engine.Models;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Sampling;
using Dsde.Engine.Sequences;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Iteration;

/// <summary>
/// Everything about an iteration that the host knows before it starts - layouts of all passes, tokens, indices, uniforms, sampling
/// parameters - worked out once and taken to the device in two transfers. Where drafting may stop early the later passes aren't known
/// before, and each is staged when its turn comes.
/// </summary>
/// <remarks>
/// Legend of what numbers things here:
/// <list type="table">
/// <item><term>rank</term><description>a sequence, by its place in <see cref="Plan"/>: longest block first</description></item>
/// <item><term>step d</term><description>a pass of the draft, from 0; n_d ranks take part in it, ascending</description></item>
/// <item><term>place</term><description>a rank among those of a step</description></item>
/// <item><term>block</term><description>a rank's proposals in their order: what is forced, then those of lookup or of the draft
/// </description></item>
/// <item><term>proposal</term><description>0 to P: those of the draft step by step, place by place, then those known before, forced or
/// looked up, rank by rank (<see cref="IndexOf"/>)</description></item>
/// <item><term>row</term><description>of a pass; the target's R rows are rank by rank, a sequence's last token and its proposals
/// </description></item>
/// <item><term>position</term><description>of a token in its sequence, the prompt's first is 0</description></item>
/// <item><term>slot</term><description>of a sequence in both caches</description></item>
/// </list>
/// </remarks>
internal sealed class IterationTensors
{
    private readonly CachedDecoder _target;
    private readonly CachedDecoder? _draft;
    private readonly Device _device;
    private readonly List<(PassLayout Layout, IndexStage Stage)> _draftPasses = [];
    private IndexStage _stage = new();
    private PassLayout _verifyLayout;
    private (int, int) _catchUpTokens,
        _lastTokens,
        _verifyTokens,
        _known,
        _proposedRows;
    private Tensor? _uniforms;

    /// <param name="plan">Longest block first.</param>
    /// <param name="target">The target.</param>
    /// <param name="draft">The draft; null only if it is to propose nothing.</param>
    /// <param name="device">Where to.</param>
    /// <param name="mayStopEarly">Whether the lengths are upper bounds only: then <see cref="AddStep"/> names each later step, and
    /// <see cref="EndDrafting"/> must follow the last.</param>
    public IterationTensors(
        IReadOnlyList<PlannedSequence> plan,
        CachedDecoder target,
        CachedDecoder? draft,
        Device device,
        bool mayStopEarly = false
    )
    {
        Plan = plan;
        MayStopEarly = mayStopEarly;
        _target = target;
        _draft = draft;
        _device = device;
        _verifyLayout = new PassLayout(target.Cache);
        Known = new KnownTokens([.. plan.Select(planned => planned.Known())]);
        Drafted = new DraftedTokens([.. plan.Select(planned => mayStopEarly ? Math.Min(1, planned.DraftedLength) : planned.DraftedLength)]);

        if (Drafted.StepCount > 0)
        {
            StageCatchUp(draft!);
            for (var step = 1; step < Drafted.StepCount; step++)
            {
                StageLaterDraft(step, _stage);
            }
        }

        Sampling = new IterationSampling(plan, target.VocabularySize, device);
        CatchUpRows = CatchUps.Count > 0 ? Sampling.CommittedRows(CatchUps) : default;
        if (mayStopEarly)
        {
            _stage.Upload(device);
        }
        else
        {
            StageVerify();
        }
    }

    /// <summary>Whether lengths are upper bounds only.</summary>
    public bool MayStopEarly { get; }

    /// <summary>Who takes part with which length; after <see cref="EndDrafting"/> with the length that was really proposed.</summary>
    public IReadOnlyList<PlannedSequence> Plan { get; private set; }

    /// <summary>The draft's steps, to be filled in.</summary>
    public DraftedTokens Drafted { get; }

    /// <summary>The proposals that are not the draft's.</summary>
    public KnownTokens Known { get; }

    /// <summary>Proposals in all (P), once all is drafted.</summary>
    public int ProposalCount => Drafted.Count + Known.Count;

    /// <summary>Number of a proposal, once all is drafted. <paramref name="place"/>: in its block, from 0.</summary>
    public int IndexOf(int place, int rank) =>
        place < Known.LengthOf(rank) ? Drafted.Count + Known.IndexOf(place, rank) : Drafted.IndexOf(place - Known.LengthOf(rank), rank);

    /// <summary>All proposals, once all is drafted. <c>[P] i64</c>; null if there are none.</summary>
    public Tensor? ProposedIds() =>
        ProposalCount == 0 ? null
        : Known.Count == 0 ? cat(Drafted.TokenIds)
        : cat([.. Drafted.TokenIds, _stage.Slice(_known)]);

    /// <summary>How tokens are chosen.</summary>
    public IterationSampling Sampling { get; }

    /// <summary>How the draft's choices at <see cref="CatchUps"/> are made.</summary>
    public RowSampling CatchUpRows { get; }

    /// <summary>
    /// Logit rows of the catch-up pass that are not a step's own: the rank they belong to and the position they predict. Rows come as
    /// listed, before the rows of the ranks that draft.
    /// </summary>
    public IReadOnlyList<(int Rank, int Position)> CatchUps { get; private set; } = [];

    /// <summary>Verified rows (R).</summary>
    public int RowCount => _verifyLayout.RowCount;

    /// <summary>The row that judges each proposal. <c>[P] i64</c></summary>
    public Tensor ProposedRows => _stage.Slice(_proposedRows);

    /// <summary>How the target's tokens are chosen. <paramref name="proposedIds"/>: <c>[P] i64</c>, null if there are none.</summary>
    public RowSampling VerifiedRows(Tensor? proposedIds) => Sampling.VerifiedRows(_stage, proposedIds);

    /// <summary>For acceptance. <c>[P] f32</c></summary>
    public Tensor AcceptUniforms => Uniforms.narrow(0, ProposalCount, ProposalCount);

    /// <summary>For the extra token of each row. <c>[R] f32</c></summary>
    public Tensor ExtraUniforms => Uniforms.narrow(0, 2L * ProposalCount, RowCount);

    private Tensor Uniforms => _uniforms ?? throw new InvalidOperationException("Draws are asked for before the end of drafting is known.");

    /// <summary>For the proposals of a step. <c>[n_d] f32</c></summary>
    public Tensor DraftUniforms(int step) =>
        _uniforms?.narrow(0, Drafted.IndexOf(step, Drafted.RanksIn(step)[0]), Drafted.ActiveIn(step))
        ?? from_array(
            Array.ConvertAll(Drafted.RanksIn(step).ToArray(), rank => DraftUniform(rank, Plan[rank].Forced.Count + step)),
            device: _device
        );

    /// <summary>The pass of a draft step.</summary>
    public PassRows DraftPass(int step)
    {
        var (layout, stage) = _draftPasses[step];
        return layout.Bind(stage, step == 0 ? stage.Slice(_catchUpTokens) : ContinuedTokens(step));
    }

    /// <summary>How the tokens of a draft step are chosen.</summary>
    public RowSampling DraftRows(int step) => Sampling.DraftRows(step, Drafted.RanksIn(step));

    /// <summary>Where drafting may stop early: the ranks, ascending, that go on with one more step.</summary>
    public void AddStep(int[] ranks)
    {
        Drafted.AddStep(ranks);
        var stage = new IndexStage();
        StageLaterDraft(Drafted.StepCount - 1, stage);
        stage.Upload(_device);
    }

    /// <summary>Where drafting may stop early: it has. The target's pass can now be prepared.</summary>
    public void EndDrafting()
    {
        Plan =
        [
            .. Plan.Select(
                (planned, rank) =>
                    planned.IsLookedUp ? planned : planned with { Plan = planned.Plan with { Length = Drafted.LengthOf(rank) } }
            ),
        ];
        _stage = new IndexStage();
        StageVerify();
    }

    /// <summary>The target's pass, once all is drafted.</summary>
    public PassRows VerifyPass()
    {
        var lastTokens = _stage.Slice(_lastTokens);
        var all = ProposedIds() is { } proposed ? cat([lastTokens, proposed]) : lastTokens;
        return _verifyLayout.Bind(_stage, all.index_select(0, _stage.Slice(_verifyTokens)));
    }

    private Tensor ContinuedTokens(int step)
    {
        var before = Drafted.TokenIds[step - 1];
        var places = Drafted.PlacesBefore(step);
        return places[^1] == places.Length - 1
            ? before.narrow(0, 0, places.Length)
            : before.index_select(0, tensor(places, device: _device));
    }

    /// <summary>
    /// The draft first takes in what it has not seen: one token after a rejection, two after full acceptance, more after iterations without
    /// a draft, and what is forced now. Its earlier rows tell what the draft would have said at tokens committed since, where there was
    /// anything to choose; the last row starts the draft.
    /// </summary>
    private void StageCatchUp(CachedDecoder draft)
    {
        var layout = new PassLayout(draft.Cache);
        var tokens = new List<long>();
        var earlier = new List<long>();
        var last = new List<long>();
        var catchUps = new List<(int, int)>();
        foreach (var rank in Drafted.RanksIn(0))
        {
            var (sequence, forced) = (Plan[rank].Sequence, Plan[rank].Forced);
            var seen = draft.Cache.LengthOf(sequence.Slot);
            layout.Add(sequence.Slot, seen, sequence.Length - seen + forced.Count);
            for (var position = seen; position < sequence.Length; position++)
            {
                if (position + 1 < sequence.Length && position + 1 >= sequence.PromptLength && !sequence.IsForcedAt(position + 1))
                {
                    earlier.Add(tokens.Count);
                    catchUps.Add((rank, position + 1));
                }

                tokens.Add(sequence.TokenIds[position]);
            }

            tokens.AddRange(forced.Select(id => (long)id));
            last.Add(tokens.Count - 1);
        }

        layout.Stage(_stage, [.. earlier, .. last]);
        _catchUpTokens = _stage.Add(tokens.ToArray());
        CatchUps = catchUps;
        _draftPasses.Add((layout, _stage));
    }

    private void StageLaterDraft(int step, IndexStage stage)
    {
        var layout = new PassLayout(_draft!.Cache);
        foreach (var rank in Drafted.RanksIn(step))
        {
            layout.Add(Plan[rank].Sequence.Slot, Plan[rank].Sequence.Length + Plan[rank].Forced.Count + step - 1, 1);
        }

        layout.Stage(stage, []);
        _draftPasses.Add((layout, stage));
    }

    private void StageVerify()
    {
        _verifyLayout = new PassLayout(_target.Cache);
        var sources = new List<long>();
        var judges = new long[ProposalCount];
        for (var rank = 0; rank < Plan.Count; rank++)
        {
            var (sequence, length) = (Plan[rank].Sequence, Plan[rank].BlockLength);
            _verifyLayout.Add(sequence.Slot, sequence.Length - 1, length + 1);
            for (var i = 0; i <= length; i++)
            {
                if (i < length)
                {
                    judges[IndexOf(i, rank)] = sources.Count;
                }

                sources.Add(i == 0 ? rank : Plan.Count + IndexOf(i - 1, rank));
            }
        }

        _verifyLayout.Stage(_stage, []);
        _lastTokens = _stage.Add(Plan.Select(planned => (long)planned.Sequence.TokenIds[^1]).ToArray());
        _verifyTokens = _stage.Add(sources.ToArray());
        _known = _stage.Add(Known.TokenIds);
        _proposedRows = _stage.Add(judges);
        Sampling.StageVerified(_stage, IndexOf, [.. Plan.Select(planned => planned.BlockLength)]);
        _stage.Upload(_device);
        _uniforms = from_array(DrawUniforms(), device: _device);
    }

    /// <summary>
    /// Draft draws (of no use to proposals that are known), then acceptance draws, both in the order of proposals, then the extra draws in
    /// row order.
    /// </summary>
    private float[] DrawUniforms()
    {
        var uniforms = new float[(2 * ProposalCount) + RowCount];
        var row = 2 * ProposalCount;
        for (var rank = 0; rank < Plan.Count; rank++)
        {
            var (sequence, length) = (Plan[rank].Sequence, Plan[rank].BlockLength);
            var seed = sequence.Request.Sampling.Seed;
            for (var i = 0; i <= length; i++)
            {
                uniforms[row++] = CounterRandom.Uniform(seed, CounterRandom.Purpose.Extra, sequence.Length, sequence.Length + i);
                if (i < length)
                {
                    var index = IndexOf(i, rank);
                    uniforms[index] = DraftUniform(rank, i);
                    uniforms[ProposalCount + index] = CounterRandom.Uniform(
                        seed,
                        CounterRandom.Purpose.Accept,
                        sequence.Length,
                        sequence.Length + i
                    );
                }
            }
        }

        return uniforms;
    }

    private float DraftUniform(int rank, int place)
    {
        var sequence = Plan[rank].Sequence;
        return CounterRandom.Uniform(sequence.Request.Sampling.Seed, CounterRandom.Purpose.Draft, sequence.Length, sequence.Length + place);
    }
}
