using Dsde.Analytics.Positions;
using Dsde.Persistence.Analysis;

namespace Dsde.Analytics.Exporting;

/// <summary>A row per proposed token of an output.</summary>
internal sealed class ProposalsTable : TraceTable
{
    private readonly ExportColumn<int> _iteration;
    private readonly ExportColumn<int> _depth;
    private readonly ExportColumn<int> _position;
    private readonly ExportColumn<int> _proposal;
    private readonly ExportColumn<bool> _isAccepted;
    private readonly ExportColumn<bool> _onPath;
    private readonly ExportColumn<float> _kld;
    private readonly ExportColumn<float> _beta;
    private readonly ExportColumn<float> _draftEntropy;

    public ProposalsTable()
        : base("proposals", "token_telemetry")
    {
        (_iteration, _depth) = (Value<int>("iteration"), Value<int>("depth"));
        (_position, _proposal) = (Value<int>("position"), Value<int>("proposal"));
        (_isAccepted, _onPath) = (Value<bool>("is_accepted"), Value<bool>("on_path"));
        (_kld, _beta, _draftEntropy) = (Value<float>("kld"), Value<float>("beta"), Value<float>("draft_entropy"));
    }

    /// <inheritdoc/>
    public override void Add(StoredTrace stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        var trace = stored.Trace;
        foreach (var step in trace.ProposalKld is null ? [] : IterationStep.Of(trace))
        {
            for (var i = 0; i < step.Length; i++)
            {
                var proposal = step.FirstProposal + i;
                Begin(stored);
                _iteration.Add(step.Index + 1);
                _depth.Add(i + 1);
                _position.Add(step.FirstProposed + i);
                _proposal.Add(proposal + 1);
                _isAccepted.Add(i < step.Accepted);
                _onPath.Add(trace.ProposalOnPath?[proposal]);
                _kld.Add(trace.ProposalKld?[proposal]);
                _beta.Add(trace.ProposalBeta?[proposal]);
                _draftEntropy.Add(trace.ProposalDraftEntropy?[proposal]);
                EndRow();
            }
        }
    }
}
