using Dsde.Batches.Files.Writing;
using Dsde.Contracts;

namespace Dsde.Batches.Files;

/// <summary>
/// Writes <c>results.jsonl</c> and <c>errors.jsonl</c> for the lines of a job file, in their order. Ends are looked up some hundred at a
/// time, so memory does not grow with the batch.
/// </summary>
internal sealed class ResultFiles(string folder, IJobEnds ends)
{
    public const string ResultsName = "results.jsonl";
    public const string ErrorsName = "errors.jsonl";

    private const int ChunkSize = 256;

    /// <summary>Reads <paramref name="lines"/> to their end and replaces both files.</summary>
    public async Task<WrittenResults> WriteAsync(IAsyncEnumerable<BatchFileLine> lines, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        await using var results = new JsonLinesFile(Path.Combine(folder, ResultsName));
        await using var errors = new JsonLinesFile(Path.Combine(folder, ErrorsName));
        var withoutText = 0;
        await foreach (var chunk in lines.Chunk(ChunkSize).WithCancellation(cancellationToken))
        {
            var jobIds = chunk.Where(line => line.Job is not null).Select(line => line.Job?.JobId ?? default).ToList();
            var found = await ends.FindAsync(jobIds, cancellationToken);
            foreach (var line in chunk)
            {
                await WriteAsync(line, found, results, errors, cancellationToken);
                withoutText += line.Job is { } job && found.GetValueOrDefault(job.JobId) is GenerationJobCompleted { Text: null } ? 1 : 0;
            }
        }

        await results.CompleteAsync(cancellationToken);
        await errors.CompleteAsync(cancellationToken);
        return new WrittenResults(results.LineCount, errors.LineCount, withoutText);
    }

    private static Task WriteAsync(
        BatchFileLine line,
        IReadOnlyDictionary<Guid, object> found,
        JsonLinesFile results,
        JsonLinesFile errors,
        CancellationToken cancellationToken
    )
    {
        if (line.Job is not { } job)
        {
            var error = line.Error ?? throw new ArgumentException($"Line {line.Number} is neither a job nor an error.", nameof(line));
            return errors.WriteAsync(
                json => ErrorLine.WriteRefused(json, line.JobId, line.Number, line.CustomId, error),
                cancellationToken
            );
        }

        return found.GetValueOrDefault(job.JobId) switch
        {
            GenerationJobCompleted end => results.WriteAsync(
                json => ResultLine.Write(json, line.CustomId, job.Messages is not null, end),
                cancellationToken
            ),
            GenerationJobFailed end => errors.WriteAsync(
                json => ErrorLine.WriteFailed(json, line.Number, line.CustomId, end),
                cancellationToken
            ),
            GenerationJobCancelled end => errors.WriteAsync(
                json => ErrorLine.WriteCancelled(json, line.Number, line.CustomId, end),
                cancellationToken
            ),
            _ => errors.WriteAsync(json => ErrorLine.WriteUnfinished(json, job.JobId, line.Number, line.CustomId), cancellationToken),
        };
    }
}

/// <summary>How many lines each file has; a file with none is not there.</summary>
/// <param name="ResultCount">Results.</param>
/// <param name="ErrorCount">Lines without one.</param>
/// <param name="WithoutTextCount">Of the results, those whose text is not stored.</param>
internal readonly record struct WrittenResults(int ResultCount, int ErrorCount, int WithoutTextCount = 0)
{
    /// <summary>A sentence about results whose text is not stored; null if there are none.</summary>
    public string? MissingTexts =>
        WithoutTextCount == 0
            ? null
            : $"{WithoutTextCount} of the results have no text: their workers don't store outputs "
                + "(Dsde:Worker:StoreOutputs is false), and only the events carried it";
}
