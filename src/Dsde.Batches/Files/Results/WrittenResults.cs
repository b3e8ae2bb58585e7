namespace Dsde.Batches.Files.Results;

/// <summary>What was written; a file without lines is not there.</summary>
internal sealed class WrittenResults
{
    private const int MostExamples = 3;

    private readonly List<string> _mismatches = [];

    /// <summary>Lines of results.jsonl.</summary>
    public int ResultCount { get; set; }

    /// <summary>Lines of errors.jsonl.</summary>
    public int ErrorCount { get; set; }

    /// <summary>Of the results, those whose text is not stored.</summary>
    public int WithoutTextCount { get; set; }

    /// <summary>Of the errors, lines that don't fit the jobs of the batch.</summary>
    public int MismatchCount { get; private set; }

    /// <summary>Of the errors, jobs that had not ended.</summary>
    public int UnfinishedCount { get; set; }

    /// <summary>A sentence about results whose text is not stored; null if there are none.</summary>
    public string? MissingTexts =>
        WithoutTextCount == 0
            ? null
            : $"{WithoutTextCount} of the results have no text: their workers don't store outputs "
                + "(Dsde:Worker:StoreOutputs is false), and only the events carried it";

    /// <summary>A sentence about lines that don't fit, with the first of them; null if all do.</summary>
    public string? Mismatches =>
        MismatchCount == 0
            ? null
            : $"{MismatchCount} {(MismatchCount == 1 ? "line does" : "lines do")} not fit the batch: {string.Join(", ", _mismatches)}"
                + $"{(MismatchCount > MostExamples ? ", …" : "")}; they have no result, and errors.jsonl says what to do";

    /// <summary>Notes a line that doesn't fit.</summary>
    public void AddMismatch(BatchFileLine line, LineError error)
    {
        MismatchCount++;
        if (_mismatches.Count < MostExamples)
        {
            _mismatches.Add($"line {line.Number}, custom_id '{line.CustomId}' ({error.Code})");
        }
    }
}
