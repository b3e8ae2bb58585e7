using Dsde.Analytics.Positions;
using Dsde.Persistence.Analysis;
using Dsde.Persistence.Jobs;
using Dsde.Persistence.Views;

namespace Dsde.Analytics.Exporting;

/// <summary>A row per iteration of an output.</summary>
internal sealed class IterationsTable : TraceTable
{
    private readonly ExportColumn<int> _iteration;
    private readonly ExportColumn<int> _position;
    private readonly ExportColumn<int> _length;
    private readonly ExportColumn<int> _accepted;
    private readonly ExportColumn<int> _forced;
    private readonly ExportColumn<int> _wish;
    private readonly ExportColumn<int> _allowed;
    private readonly ExportTextColumn _decidedBy;
    private readonly ExportColumn<float> _predictedLength;
    private readonly ExportColumn<float> _scaleFactor;
    private readonly ExportColumn<float> _wvir;
    private readonly ExportColumn<float> _cap;
    private readonly ExportColumn<int> _batchSize;
    private readonly ExportColumn<int> _batchRows;
    private readonly ExportColumn<float> _draftMs;
    private readonly ExportColumn<float> _verifyMs;
    private readonly ExportTextColumn _proposedBy;

    public IterationsTable()
        : base("iterations", "iteration_telemetry")
    {
        (_iteration, _position) = (Value<int>("iteration"), Value<int>("position"));
        (_length, _accepted, _forced) = (Value<int>("speculation_length"), Value<int>("accepted"), Value<int>("forced"));
        (_wish, _allowed, _decidedBy) = (Value<int>("wish"), Value<int>("allowed"), Text("decided_by"));
        (_predictedLength, _scaleFactor) = (Value<float>("predicted_length"), Value<float>("scale_factor"));
        (_wvir, _cap) = (Value<float>("wvir"), Value<float>("cap"));
        (_batchSize, _batchRows) = (Value<int>("batch_size"), Value<int>("batch_rows"));
        (_draftMs, _verifyMs, _proposedBy) = (Value<float>("draft_ms"), Value<float>("verify_ms"), Text("proposed_by"));
    }

    /// <inheritdoc/>
    public override void Add(StoredTrace stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        foreach (var step in IterationStep.Of(stored.Trace))
        {
            Begin(stored);
            Add(step, stored.Trace);
            EndRow();
        }
    }

    private void Add(IterationStep step, JobTrace trace)
    {
        _iteration.Add(step.Index + 1);
        _position.Add(step.FirstToken);
        _length.Add(step.Length);
        _accepted.Add(step.Accepted);
        _forced.Add(step.Forced);
        _wish.Add(trace.IterationWish?[step.Index]);
        _allowed.Add(trace.IterationAllowed?[step.Index]);
        _decidedBy.Add(trace.IterationDecidedBy?[step.Index] is { } decider ? LengthDeciders.Words[decider] : null);
        _predictedLength.Add(trace.IterationPredictedLength?[step.Index]);
        _scaleFactor.Add(trace.IterationScaleFactor?[step.Index]);
        _wvir.Add(trace.IterationWvir?[step.Index]);
        _cap.Add(trace.IterationCap?[step.Index]);
        _batchSize.Add(trace.IterationBatchSize?[step.Index]);
        _batchRows.Add(trace.IterationBatchRows?[step.Index]);
        _draftMs.Add(trace.IterationDraftMs?[step.Index]);
        _verifyMs.Add(trace.IterationVerifyMs?[step.Index]);
        _proposedBy.Add(trace.IterationProposedBy?[step.Index] is { } proposer ? Proposers.Words[proposer] : null);
    }
}
