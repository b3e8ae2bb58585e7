using Dsde.Engine.Sampling;
using Dsde.Engine.Speculation;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Scheduling;

/// <summary>An iteration's results on the host. Proposals are numbered in step order, rows in the order they were verified.</summary>
internal sealed class IterationReadout
{
    private readonly Readout _readout = new();
    private readonly int _proposalCount;
    private readonly Range _extraIds, _extraLogProbabilities, _margins;
    private readonly Range _accepted, _proposedIds, _draftChoices, _proposedLogProbabilities, _kld, _beta, _entropy, _catchUpChoices;

    private IterationReadout(IterationTensors tensors, Tensor logits, Tensor? catchUpChoices)
    {
        _proposalCount = tensors.Drafted.Count;
        var parameters = tensors.Sampling.AllGreedy ? tensors.Sampling : tensors.Sampling.Select(tensors.RowRanks);
        Tensor extra;
        if (_proposalCount == 0)
        {
            extra = ExtraTokens.WithoutProposals(logits, parameters, tensors.ExtraUniforms);
        }
        else
        {
            var ids = cat(tensors.Drafted.TokenIds); // [P]
            var draftLogits = cat(tensors.Drafted.Logits); // [P, V]
            var verification = tensors.Sampling.AllGreedy
                ? Verification.Greedy(logits, ids, tensors.ProposedRows)
                : Verification.Rejection(
                    Distributions.Process(logits, parameters), cat(tensors.Drafted.Distributions), ids, tensors.ProposedRows,
                    tensors.AcceptUniforms, tensors.ExtraUniforms);
            extra = verification.ExtraTokenIds;
            var judged = logits.index_select(0, tensors.ProposedRows); // [P, V]
            var measures = DivergenceMeasures.Compute(judged, draftLogits);
            _accepted = _readout.Add(verification.Accepted);
            _proposedIds = _readout.Add(ids);
            _draftChoices = tensors.Sampling.AllGreedy ? _proposedIds : _readout.Add(draftLogits.argmax(-1));
            _proposedLogProbabilities = _readout.Add(TokenMeasures.LogProbability(judged, ids));
            _kld = _readout.Add(measures.Kld);
            _beta = _readout.Add(measures.Beta);
            _entropy = _readout.Add(measures.DraftEntropy);
        }

        _extraIds = _readout.Add(extra);
        _extraLogProbabilities = _readout.Add(TokenMeasures.LogProbability(logits, extra));
        _margins = _readout.Add(TokenMeasures.Margin(logits));
        if (catchUpChoices is not null)
        {
            _catchUpChoices = _readout.Add(catchUpChoices);
        }
    }

    /// <summary>Verifies, measures, and takes everything to the host at once.</summary>
    /// <param name="tensors">The iteration, drafted.</param>
    /// <param name="logits">The target's. <c>[R, V] f32</c></param>
    /// <param name="catchUpChoices"><c>[C] i64</c> or null.</param>
    public static IterationReadout Read(IterationTensors tensors, Tensor logits, Tensor? catchUpChoices)
    {
        var readout = new IterationReadout(tensors, logits, catchUpChoices);
        readout._readout.Transfer();
        return readout;
    }

    /// <summary>A proposal.</summary>
    public int ProposedId(int proposal) => (int)_readout[_proposedIds][proposal];

    /// <summary>The draft's most probable token where a proposal was made.</summary>
    public int DraftChoice(int proposal) => (int)_readout[_draftChoices][proposal];

    /// <summary>Log-probability of a proposal under the target.</summary>
    public float ProposedLogProbability(int proposal) => _readout[_proposedLogProbabilities][proposal];

    /// <summary>The target's own token at a row.</summary>
    public int ExtraId(int row) => (int)_readout[_extraIds][row];

    /// <summary>Log-probability of the target's own token at a row.</summary>
    public float ExtraLogProbability(int row) => _readout[_extraLogProbabilities][row];

    /// <summary>Distance between the two best target logits at a row.</summary>
    public float Margin(int row) => _readout[_margins][row];

    /// <summary>The draft's most probable token at a catch-up row.</summary>
    public int CatchUpChoice(int index) => (int)_readout[_catchUpChoices][index];

    /// <summary>The measurements of one rank's proposals.</summary>
    public MeasuredProposals Measure(IterationTensors tensors, int rank, int length)
    {
        var (kld, beta, entropy) = (new float[length], new float[length], new float[length]);
        var accepted = 0;
        for (var i = 0; i < length; i++)
        {
            var proposal = tensors.Drafted.IndexOf(i, rank);
            kld[i] = _readout[_kld][proposal];
            beta[i] = _readout[_beta][proposal];
            entropy[i] = _readout[_entropy][proposal];
            if (accepted == i && _readout[_accepted][proposal] != 0f)
            {
                accepted++;
            }
        }

        return new MeasuredProposals(accepted, kld, beta, entropy);
    }
}
