using Dsde.Engine.Models.Passes;
using Dsde.Engine.Sampling;
using Dsde.Engine.Sequences;
using Dsde.Engine.Torch;
using Dsde.Grammars.Tokens;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Iteration;

/// <summary>
/// How the tokens of one iteration are chosen: parameters by rank, noise by rank and place in the block, and the tokens before each row.
/// Noise is the same for both models. Penalties of a row see the committed tokens and the proposals before it.
/// </summary>
internal sealed class IterationSampling
{
    private readonly IReadOnlyList<PlannedSequence> _plan;
    private readonly int _vocabularySize;
    private readonly Device _device;
    private readonly SamplingRows _parameters;
    private readonly HistoryRows _committed,
        _assumed;
    private readonly AssumedGrammar? _grammar;
    private readonly int[] _noiseStarts;
    private readonly RowNoise? _noise;
    private List<int>[] _blocks = []; // numbers of the proposals of each rank
    private int[] _verifiedNoise = []; // rows of the noise, by verified row
    private (int, int) _noiseRows,
        _ranks,
        _laterRows,
        _laterProposals;

    /// <param name="plan">Blocks, or upper bounds of them, in descending order of length.</param>
    /// <param name="vocabularySize">Tokens in the vocabulary (V).</param>
    /// <param name="device">Where to.</param>
    public IterationSampling(IReadOnlyList<PlannedSequence> plan, int vocabularySize, Device device)
    {
        _plan = plan;
        _vocabularySize = vocabularySize;
        _device = device;
        _parameters = SamplingRows.Create([.. plan.Select(planned => planned.Sequence.Request.Sampling)], vocabularySize, device);
        _committed = HistoryRows.Create([.. plan.Select(planned => planned.Sequence.History)], vocabularySize, device);
        _assumed = _committed.Copy();
        _grammar = AssumedGrammar.Create([.. plan.Select(planned => planned.Sequence.Grammar)]);
        (_noise, _noiseStarts) = CreateNoise();
        AssumeForced();
    }

    /// <summary>Whether any sequence is in rejection mode, whose draws need uniforms and distributions.</summary>
    public bool AnyRejection => _parameters.AnyRejection;

    /// <summary>Rows of a draft step, in the order of its ranks.</summary>
    /// <param name="step">The step: place of its proposals in their blocks, behind what is forced.</param>
    /// <param name="ranks">Who takes part, ascending.</param>
    public RowSampling DraftRows(int step, ReadOnlySpan<int> ranks)
    {
        var count = ranks.Length;
        if (ranks[^1] == count - 1)
        {
            return new RowSampling(_parameters.Take(count), NoiseOf(step, ranks), _assumed.Take(count))
            {
                Allowed = AllowedAt(step, ranks),
            };
        }

        var rows = ToTensor(ranks);
        return new RowSampling(_parameters.Select(rows), NoiseOf(step, ranks), _assumed.Select(rows)) { Allowed = AllowedAt(step, ranks) };
    }

    /// <summary>Later draft steps see these proposals. <paramref name="proposedIds"/>: of the given ranks, <c>[n] i64</c>.</summary>
    public void Assume(ReadOnlySpan<int> ranks, Tensor proposedIds)
    {
        if (!_assumed.IsEmpty)
        {
            var isPrefix = ranks[^1] == ranks.Length - 1;
            _assumed.Add(isPrefix ? Scalars.Range(ranks.Length, _device) : ToTensor(ranks), proposedIds, 1);
        }

        if (_grammar?.Concerns(ranks) == true)
        {
            // The one thing about proposals that the host has to know at once: on a GPU it waits for each step.
            var ids = ToHost(proposedIds);
            for (var i = 0; i < ids.Length; i++)
            {
                _grammar.Assume(ranks[i], (int)ids[i]);
            }
        }
    }

    /// <summary>
    /// Puts the indices of the verified rows on the stage: of every rank in turn, as many as it has proposals, and one more.
    /// </summary>
    /// <param name="stage">Uploaded by the caller before <see cref="VerifiedRows"/> is asked for.</param>
    /// <param name="indexOf">Number of a proposal, by its place in its block and its rank.</param>
    /// <param name="lengths">Proposals of each rank.</param>
    public void StageVerified(IndexStage stage, Func<int, int, int> indexOf, ReadOnlySpan<int> lengths)
    {
        _blocks = new List<int>[lengths.Length];
        List<int> noiseRows = [];
        List<long> ranks = [],
            laterRows = [],
            laterProposals = [];
        for (var rank = 0; rank < lengths.Length; rank++)
        {
            var block = _blocks[rank] = [];
            for (var place = 0; place < lengths[rank] && _grammar is not null; place++)
            {
                block.Add(indexOf(place, rank));
            }

            for (var place = 0; place <= lengths[rank]; place++)
            {
                for (var earlier = 0; earlier < place && !_committed.IsEmpty; earlier++)
                {
                    laterRows.Add(ranks.Count);
                    laterProposals.Add(indexOf(earlier, rank));
                }

                noiseRows.Add(_noiseStarts[place] + rank);
                ranks.Add(rank);
            }
        }

        _verifiedNoise = [.. noiseRows];
        _noiseRows = _noise?.Values is null ? default : stage.Add([.. noiseRows.Select(row => (long)row)]);
        _ranks = stage.Add(ranks.ToArray());
        _laterRows = stage.Add(laterRows.ToArray());
        _laterProposals = stage.Add(laterProposals.ToArray());
    }

    /// <summary>The verified rows. <paramref name="proposedIds"/>: all proposals, <c>[P] i64</c>; null if there are none.</summary>
    public RowSampling VerifiedRows(IndexStage stage, Tensor? proposedIds)
    {
        var allowed = AllowedInBlocks(proposedIds);
        if (_parameters.LeaveLogitsAlone && !_parameters.AnyRejection && _noise is null)
        {
            return new RowSampling(_parameters, null, default) { Allowed = allowed };
        }

        var ranks = stage.Slice(_ranks);
        var history = _committed.Select(ranks);
        if (!history.IsEmpty && proposedIds is not null)
        {
            history.Add(stage.Slice(_laterRows), proposedIds.index_select(0, stage.Slice(_laterProposals)), 1);
        }

        return new RowSampling(
            _parameters.Select(ranks),
            _noise?.Select(_verifiedNoise, noise => noise.index_select(0, stage.Slice(_noiseRows))),
            history
        )
        {
            Allowed = allowed,
        };
    }

    /// <summary>Rows that predict tokens already committed.</summary>
    /// <param name="catchUps">The rank that each row belongs to, and the position it predicts.</param>
    public RowSampling CommittedRows(IReadOnlyList<(int Rank, int Position)> catchUps)
    {
        var rows = ToTensor([.. catchUps.Select(catchUp => catchUp.Rank)]);
        var keys = catchUps
            .Select(catchUp => RowSampling.NoiseKeyOf(_plan[catchUp.Rank].Sequence.Request.Sampling, catchUp.Position))
            .ToArray();
        var history = _committed.Select(rows);
        if (!history.IsEmpty)
        {
            var since = catchUps
                .SelectMany(
                    (catchUp, row) =>
                        _plan[catchUp.Rank].Sequence.TokenIds.Skip(catchUp.Position).Select(id => (Row: (long)row, Id: (long)id))
                )
                .ToArray();
            history.Add(
                tensor(since.Select(token => token.Row).ToArray(), device: _device),
                tensor(since.Select(token => token.Id).ToArray(), device: _device),
                -1
            );
        }

        return new RowSampling(_parameters.Select(rows), RowNoise.Create(keys, _vocabularySize, _device), history)
        {
            Allowed = RowSampling.AllowedOf(catchUps.Select(catchUp => _plan[catchUp.Rank].Sequence.AllowedAt(catchUp.Position))),
        };
    }

    /// <summary>What is forced stands before all that is drafted, and is known to come.</summary>
    private void AssumeForced()
    {
        List<long> rows = [],
            tokenIds = [];
        for (var rank = 0; rank < _plan.Count; rank++)
        {
            foreach (var id in _plan[rank].Forced)
            {
                _grammar!.Assume(rank, id); // only a grammar forces
                rows.Add(rank);
                tokenIds.Add(id);
            }
        }

        if (rows.Count > 0 && !_assumed.IsEmpty)
        {
            _assumed.Add(tensor(rows.ToArray(), device: _device), tensor(tokenIds.ToArray(), device: _device), 1);
        }
    }

    /// <summary>Noise at a draft step of some ranks, each at its place in its block; null if there is none.</summary>
    private RowNoise? NoiseOf(int step, ReadOnlySpan<int> ranks)
    {
        if (_noise is null)
        {
            return null;
        }

        var rows = new int[ranks.Length];
        var isInOnePiece = true;
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = _noiseStarts[PlaceOf(step, ranks[i])] + ranks[i];
            isInOnePiece &= rows[i] == rows[0] + i;
        }

        return _noise.Select(
            rows,
            noise =>
                isInOnePiece
                    ? noise.narrow(0, rows[0], rows.Length)
                    : noise.index_select(0, tensor(Array.ConvertAll(rows, row => (long)row), device: _device))
        );
    }

    /// <summary>The place in its block at which the draft makes a proposal for a rank.</summary>
    private int PlaceOf(int step, int rank) => _plan[rank].Forced.Count + step;

    /// <summary>What grammars allow at a draft step of some ranks.</summary>
    private IReadOnlyList<TokenSet?>? AllowedAt(int step, ReadOnlySpan<int> ranks) =>
        _grammar is { } grammar
            ? RowSampling.AllowedOf(ranks.ToArray().Select(rank => grammar.AllowedAt(rank, PlaceOf(step, rank))))
            : null;

    /// <summary>What grammars allow at all verified rows. <paramref name="proposedIds"/>: <c>[P] i64</c>; null if there are none.</summary>
    private IReadOnlyList<TokenSet?>? AllowedInBlocks(Tensor? proposedIds)
    {
        if (_grammar is not { } grammar)
        {
            return null;
        }

        // Proposals that no draft step has assumed, because they come from elsewhere.
        long[]? ids = null;
        for (var rank = 0; rank < _blocks.Length && proposedIds is not null; rank++)
        {
            for (var place = grammar.AssumedOf(rank); grammar.Concerns(rank) && place < _blocks[rank].Count; place++)
            {
                ids ??= ToHost(proposedIds);
                grammar.Assume(rank, (int)ids[_blocks[rank][place]]);
            }
        }

        return RowSampling.AllowedOf(
            _blocks.SelectMany((block, rank) => Enumerable.Range(0, block.Count + 1).Select(place => grammar.AllowedAt(rank, place)))
        );
    }

    private static long[] ToHost(Tensor ids)
    {
        using var scope = NewDisposeScope();
        return ids.cpu().data<long>().ToArray();
    }

    /// <summary>
    /// Place after place in the blocks, each with the ranks whose block is that long, the target's last token included. Where only one
    /// token is allowed there is nothing to draw.
    /// </summary>
    private (RowNoise? Noise, int[] Starts) CreateNoise()
    {
        var keys = new List<NoiseKey?>();
        var starts = new int[_plan[0].BlockLength + 1];
        for (var place = 0; place <= _plan[0].BlockLength; place++)
        {
            starts[place] = keys.Count;
            keys.AddRange(_plan.TakeWhile(planned => planned.BlockLength >= place).Select(planned => NoiseKeyAt(planned, place)));
        }

        return (RowNoise.Create(keys, _vocabularySize, _device), starts);
    }

    private static NoiseKey? NoiseKeyAt(in PlannedSequence planned, int place) =>
        place < planned.Forced.Count ? null : RowSampling.NoiseKeyOf(planned.Sequence.Request.Sampling, planned.Sequence.Length + place);

    private Tensor ToTensor(ReadOnlySpan<int> ranks)
    {
        var rows = new long[ranks.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = ranks[i];
        }

        return tensor(rows, dtype: ScalarType.Int64, device: _device);
    }
}
