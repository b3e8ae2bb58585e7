using System.Globalization;
using Dsde.Batches.Reporting;

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

    /// <summary>Jobs of the batch that were found, whatever became of them.</summary>
    public int KnownCount { get; set; }

    /// <summary>Of these, jobs that had ended.</summary>
    public int EndedCount { get; set; }

    /// <summary>Lines that are, or may be, jobs of the batch.</summary>
    public int JobLineCount { get; set; }

    /// <summary>What was written where, and what there is to know of it: sentences for people, without full stops.</summary>
    /// <param name="folder">Where the files are.</param>
    /// <param name="elapsed">How long it took to come by them; null if nobody cares.</param>
    public IEnumerable<string> Describe(string folder, TimeSpan? elapsed = null)
    {
        var took = elapsed is { } span ? string.Create(CultureInfo.InvariantCulture, $", {span.TotalSeconds:F1} s") : "";
        var path = Path.Combine(folder, ResultFiles.ResultsName);
        yield return ResultCount > 0 ? $"{Quantity.Of(ResultCount, "result")} in {path}{took}" : $"no results, so no {path}{took}";
        if (WithoutTextCount > 0)
        {
            yield return $"{Quantity.Of(WithoutTextCount, "result has", "results have")} no text: it was pruned since (dsde db prune "
                + "--texts), or is not stored (Dsde:Worker:StoreOutputs is false); only the events carried it";
        }

        if (MismatchCount > 0)
        {
            yield return $"{Quantity.Of(MismatchCount, "line does", "lines do")} not fit the batch: {string.Join(", ", _mismatches)}"
                + $"{(MismatchCount > MostExamples ? ", …" : "")}; they have no result, and errors.jsonl says what to do";
        }

        if (ErrorCount > 0)
        {
            yield return $"{Quantity.Of(ErrorCount, "line")} without a result: see {Path.Combine(folder, ResultFiles.ErrorsName)}";
        }
    }

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
