using Dsde.Persistence.Analysis;

namespace Dsde.Analytics.Exporting;

/// <summary>A row per generated token of an output.</summary>
internal sealed class TokensTable : TraceTable
{
    private readonly ExportColumn<int> _position;
    private readonly ExportColumn<float> _margin;
    private readonly ExportColumn<short> _draftMatch;

    public TokensTable()
        : base("tokens", "job_traces") =>
        (_position, _margin, _draftMatch) = (Value<int>("position"), Value<float>("token_margin"), Value<short>("token_draft_match"));

    /// <inheritdoc/>
    protected override IReadOnlyDictionary<string, string> OwnMeanings { get; } =
        new Dictionary<string, string> { ["position"] = "Number of the token within the output. Range: ≥ 1." };

    /// <inheritdoc/>
    public override void Add(StoredTrace stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        var trace = stored.Trace;
        for (var i = 0; i < (trace.TokenMargin?.Length ?? 0); i++)
        {
            Begin(stored);
            _position.Add(i + 1);
            _margin.Add(trace.TokenMargin?[i]);
            _draftMatch.Add(trace.TokenDraftMatch?[i]);
            EndRow();
        }
    }
}
