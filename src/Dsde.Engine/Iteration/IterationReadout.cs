using Dsde.Engine.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Iteration;

/// <summary>An iteration's results on the host. Proposals are numbered in step order, rows in the order they were verified.</summary>
internal sealed class IterationReadout
{
    private readonly HostTransfer _transfer = new();
    private readonly TargetTokens _targetTokens;
    private readonly Range _accepted,
        _proposedIds,
        _draftChoices,
        _proposedLogProbabilities,
        _kld,
        _beta,
        _entropy,
        _catchUpChoices;

    private IterationReadout(IterationTensors tensors, Tensor logits, Tensor? catchUpChoices, int mostProbableCount)
    {
        var ids = tensors.ProposedIds(); // [P]
        var rows = tensors.VerifiedRows(ids);
        var scores = TokenScores.Compute(logits, rows);
        var normalizer = TokenMeasures.LogNormalizer(logits);
        if (ids is null)
        {
            var drawn = rows.Parameters.AnyRejection ? Distributions.Draw(scores.Distribution(), tensors.ExtraUniforms) : null;
            _targetTokens = new TargetTokens(
                _transfer,
                logits,
                normalizer,
                scores,
                rows.Parameters.Pick(drawn, scores.Best),
                mostProbableCount
            );
        }
        else
        {
            var verification = Verify(tensors, rows, scores, ids);
            _targetTokens = new TargetTokens(_transfer, logits, normalizer, scores, verification.ExtraTokenIds, mostProbableCount);
            _accepted = _transfer.Add(verification.Accepted);
            _proposedIds = _transfer.Add(ids);
            _proposedLogProbabilities = _transfer.Add(TokenMeasures.LogProbability(logits, normalizer, tensors.ProposedRows, ids));
            if (tensors.Drafted.Count > 0)
            {
                var draftedRows = tensors.ProposedRows.narrow(0, 0, tensors.Drafted.Count);
                var measures = DivergenceMeasures.Compute(logits, normalizer, draftedRows, tensors.Drafted.Logits);
                _draftChoices = rows.Parameters.AnyRejection ? _transfer.Add(cat(tensors.Drafted.Choices)) : _proposedIds;
                _kld = _transfer.Add(measures.Kld);
                _beta = _transfer.Add(measures.Beta);
                _entropy = _transfer.Add(measures.DraftEntropy);
            }
        }

        if (catchUpChoices is not null)
        {
            _catchUpChoices = _transfer.Add(catchUpChoices);
        }
    }

    /// <summary>Verifies, measures, and takes everything to the host at once.</summary>
    /// <param name="tensors">The iteration, drafted.</param>
    /// <param name="logits">The target's. <c>[R, V] f32</c></param>
    /// <param name="catchUpChoices"><c>[C] i64</c> or null.</param>
    /// <param name="mostProbableCount">Most of the most probable tokens that anybody wants at a position.</param>
    public static IterationReadout Read(IterationTensors tensors, Tensor logits, Tensor? catchUpChoices, int mostProbableCount)
    {
        var readout = new IterationReadout(tensors, logits, catchUpChoices, mostProbableCount);
        readout._transfer.Run();
        return readout;
    }

    /// <summary>A proposal.</summary>
    public int ProposedId(int proposal) => (int)_transfer[_proposedIds][proposal];

    /// <summary>
    /// Whether the draft's best token by perturbed score, where a proposal was made, is a token: 1 yes, 0 no, −1 not known, where the
    /// draft did not make the proposal.
    /// </summary>
    public sbyte DraftMatch(IterationTensors tensors, int proposal, int tokenId) =>
        proposal >= tensors.Drafted.Count ? (sbyte)-1
        : (int)_transfer[_draftChoices][proposal] == tokenId ? (sbyte)1
        : (sbyte)0;

    /// <summary>
    /// A proposal to be committed. <paramref name="row"/>: the row that judged it; <paramref name="wanted"/>: most probable tokens asked
    /// for.
    /// </summary>
    public CommittedToken Proposed(int proposal, int row, sbyte draftMatch, int wanted) =>
        _targetTokens.At(row, draftMatch, wanted) with
        {
            TokenId = ProposedId(proposal),
            LogProbability = _transfer[_proposedLogProbabilities][proposal],
        };

    /// <summary>The target's own token at a row.</summary>
    public int ExtraId(int row) => _targetTokens.TokenId(row);

    /// <summary>The target's own token at a row, to be committed.</summary>
    public CommittedToken Extra(int row, sbyte draftMatch, int wanted) => _targetTokens.At(row, draftMatch, wanted);

    /// <summary>The draft's choice at a catch-up row.</summary>
    public int CatchUpChoice(int index) => (int)_transfer[_catchUpChoices][index];

    /// <summary>Whether the target's logits at a row are numbers.</summary>
    public bool IsNumber(int row) => _targetTokens.IsNumber(row);

    /// <summary>
    /// The measurements of one rank's proposals, up to the first where either model's logits are no numbers: that one and those behind it
    /// count as not proposed. Proposals of lookup have no distribution, and NaN for what would be measured of it; what is forced is counted
    /// and no more.
    /// </summary>
    /// <param name="tensors">The iteration.</param>
    /// <param name="rank">The rank.</param>
    /// <param name="firstRow">The row that judges the first of its block.</param>
    public MeasuredProposals Measure(IterationTensors tensors, int rank, int firstRow)
    {
        var (length, forced) = (tensors.Plan[rank].BlockLength, tensors.Plan[rank].Forced.Count);
        var (kld, beta, entropy) = (new float[length], new float[length], new float[length]);
        int counting = 0,
            accepted = 0,
            draftRowsWithoutNumbers = 0;
        var targetHasNumbers = IsNumber(firstRow + length);
        for (var i = 0; i < length; i++)
        {
            var proposal = tensors.IndexOf(i, rank);
            var (isForced, isDrafted) = (i < forced, i >= forced && !tensors.Plan[rank].IsLookedUp);
            var (ofTarget, ofDraft) = (IsNumber(firstRow + i), !isDrafted || float.IsFinite(_transfer[_entropy][proposal]));
            targetHasNumbers &= ofTarget;
            draftRowsWithoutNumbers += ofDraft ? 0 : 1;
            if (counting < i || !ofTarget || !ofDraft)
            {
                continue;
            }

            (kld[i], beta[i], entropy[i]) = isDrafted
                ? (_transfer[_kld][proposal], _transfer[_beta][proposal], _transfer[_entropy][proposal])
                : (float.NaN, float.NaN, float.NaN);
            counting++;
            // Nothing else is allowed where a token is forced: its chance is 1, whatever rounding made of it.
            if (accepted == i && (isForced || _transfer[_accepted][proposal] != 0f))
            {
                accepted++;
            }
        }

        forced = Math.Min(forced, counting);
        return new MeasuredProposals(
            forced,
            accepted - forced,
            kld[forced..counting],
            beta[forced..counting],
            entropy[forced..counting],
            draftRowsWithoutNumbers,
            targetHasNumbers
        );
    }

    /// <summary>
    /// A draft row of NaN, which is so throughout, has proposed nothing: with q = 0 the row's token comes from the target alone. On a GPU
    /// it costs less to write over all rows than to ask whether there is one. <paramref name="distributions"/>: <c>[P, V] f32</c>, used up.
    /// </summary>
    private static Tensor WithoutNaN(Tensor distributions) =>
        distributions.device_type == DeviceType.CPU && !distributions.select(1, 0).isnan().any().item<bool>()
            ? distributions
            : distributions.nan_to_num_(nan: 0);

    private static Verification Verify(IterationTensors tensors, in RowSampling rows, in TokenScores scores, Tensor ids)
    {
        var matching = Verification.Matching(scores.Best, ids, tensors.ProposedRows);
        return rows.Parameters.AnyRejection
            ? Verification
                .Rejection(
                    scores.Distribution(),
                    tensors.Drafted.Count == 0 ? null : WithoutNaN(cat(tensors.Drafted.Distributions)),
                    ids,
                    tensors.ProposedRows,
                    tensors.AcceptUniforms,
                    tensors.ExtraUniforms
                )
                .WhereElse(rows.Parameters.Rejection, matching, tensors.ProposedRows)
            : matching;
    }
}
