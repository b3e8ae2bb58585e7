using Dsde.Persistence.Analysis;

namespace Dsde.Analytics.Exporting;

/// <summary>A table of which each row belongs to an output.</summary>
internal abstract class TraceTable : ExportTable
{
    private readonly ExportTextColumn _jobId;
    private readonly ExportColumn<int> _choice;
    private readonly ExportColumn<DateTime> _storedAt;

    /// <param name="name">Its name.</param>
    /// <param name="relation">Whose columns it has.</param>
    protected TraceTable(string name, string relation)
        : base(name, relation) => (_jobId, _choice, _storedAt) = (Text("job_id"), Value<int>("choice"), Time("stored_at"));

    /// <summary>Adds the rows of an output.</summary>
    public abstract void Add(StoredTrace stored);

    /// <summary>Begins a row.</summary>
    protected void Begin(StoredTrace stored)
    {
        _jobId.Add($"{stored.JobId}");
        _choice.Add(stored.Choice);
        _storedAt.Add(stored.StoredAt.UtcDateTime);
    }
}
