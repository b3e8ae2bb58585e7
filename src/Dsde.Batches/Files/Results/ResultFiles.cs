using Dsde.Batches.Files.Writing;
using Dsde.Contracts;

namespace Dsde.Batches.Files.Results;

/// <summary>
/// Writes <c>results.jsonl</c> and <c>errors.jsonl</c>, for the lines of a job file in their order or for a batch without its file. Jobs
/// are looked up some hundred at a time, so memory does not grow with the batch.
/// </summary>
/// <param name="folder">Where to.</param>
/// <param name="jobs">Where jobs are looked up.</param>
internal sealed class ResultFiles(string folder, IKnownJobs jobs)
{
    public const string ResultsName = "results.jsonl";
    public const string ErrorsName = "errors.jsonl";

    private const int ChunkSize = 256;

    /// <summary>Reads the lines to their end and replaces both files.</summary>
    /// <param name="lines">The lines of the file.</param>
    /// <param name="defaults">What they were read with.</param>
    /// <param name="allAreKnown">Whether every job of the batch is known, so that one that isn't is none of it.</param>
    /// <param name="cancellationToken">Gives up; the files are then as they were.</param>
    public async Task<WrittenResults> WriteAsync(
        IAsyncEnumerable<BatchFileLine> lines,
        BatchDefaults defaults,
        bool allAreKnown,
        CancellationToken cancellationToken
    )
    {
        Directory.CreateDirectory(folder);
        await using var results = new JsonLinesFile(Path.Combine(folder, ResultsName));
        await using var errors = new JsonLinesFile(Path.Combine(folder, ErrorsName));
        var written = new WrittenResults();
        await foreach (var chunk in lines.Chunk(ChunkSize).WithCancellation(cancellationToken))
        {
            var jobIds = chunk.Where(line => line.Job is not null).Select(line => line.JobId).ToList();
            var found = await jobs.FindAsync(jobIds, cancellationToken);
            foreach (var line in chunk)
            {
                var known = found.GetValueOrDefault(line.JobId);
                Count(written, line, known, allAreKnown);
                var origin = new LineOrigin(line.JobId, line.Number, line.CustomId, line.IgnoredFields);
                if (FindError(line, known, defaults, allAreKnown, written) is { } error)
                {
                    await errors.WriteAsync(json => ErrorLine.WriteRefused(json, origin, error), cancellationToken);
                }
                else
                {
                    await WriteEndAsync(origin, line.Job?.Messages is not null, known?.End, results, errors, written, cancellationToken);
                }
            }
        }

        return await CompleteAsync(results, errors, written, cancellationToken);
    }

    /// <summary>Writes what has ended of a batch, in the order in which workers first saw the jobs, and replaces both files.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="cancellationToken">Gives up; the files are then as they were.</param>
    public async Task<WrittenResults> WriteAsync(Guid batchId, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        await using var results = new JsonLinesFile(Path.Combine(folder, ResultsName));
        await using var errors = new JsonLinesFile(Path.Combine(folder, ErrorsName));
        var written = new WrittenResults();
        await foreach (var job in jobs.ReadEndedAsync(batchId, cancellationToken))
        {
            written.KnownCount++;
            written.EndedCount++;
            var isChat = job.Request?.Messages is not null;
            var origin = new LineOrigin(job.JobId, null, job.CustomId, []);
            await WriteEndAsync(origin, isChat, job.End, results, errors, written, cancellationToken);
        }

        return await CompleteAsync(results, errors, written, cancellationToken);
    }

    private static void Count(WrittenResults written, BatchFileLine line, KnownJob? known, bool allAreKnown)
    {
        written.JobLineCount += line.Job is not null && (known is not null || !allAreKnown) ? 1 : 0;
        written.KnownCount += known is not null ? 1 : 0;
        written.EndedCount += known?.End is not null ? 1 : 0;
    }

    /// <summary>Why a line can have no end; null if it may have one.</summary>
    private static LineError? FindError(
        BatchFileLine line,
        KnownJob? known,
        BatchDefaults defaults,
        bool allAreKnown,
        WrittenResults written
    )
    {
        if (line.Job is not { } job)
        {
            return line.Error ?? throw new ArgumentException($"Line {line.Number} is neither a job nor an error.", nameof(line));
        }

        var mismatch =
            known is null && allAreKnown ? LineMatch.Stranger(line, defaults.BatchId)
            : known is not null && !LineMatch.Fits(job, known, defaults.AreForgotten) ? LineMatch.Conflict(line, defaults.BatchId)
            : null;
        if (mismatch is not null)
        {
            written.AddMismatch(line, mismatch);
        }

        return mismatch;
    }

    /// <summary>Writes a line to the one file or the other.</summary>
    internal static Task WriteEndAsync(
        LineOrigin line,
        bool isChat,
        object? end,
        JsonLinesFile results,
        JsonLinesFile errors,
        WrittenResults written,
        CancellationToken cancellationToken
    )
    {
        written.WithoutTextCount += end is GenerationJobCompleted { Text: null } ? 1 : 0;
        written.UnfinishedCount += end is null ? 1 : 0;
        return end switch
        {
            GenerationJobCompleted completed => results.WriteAsync(
                json => ResultLine.Write(json, line, isChat, completed),
                cancellationToken
            ),
            GenerationJobFailed failed => errors.WriteAsync(json => ErrorLine.WriteFailed(json, line, failed), cancellationToken),
            GenerationJobCancelled cancelled => errors.WriteAsync(
                json => ErrorLine.WriteCancelled(json, line, cancelled),
                cancellationToken
            ),
            _ => errors.WriteAsync(json => ErrorLine.WriteUnfinished(json, line), cancellationToken),
        };
    }

    private static async Task<WrittenResults> CompleteAsync(
        JsonLinesFile results,
        JsonLinesFile errors,
        WrittenResults written,
        CancellationToken cancellationToken
    )
    {
        await results.CompleteAsync(cancellationToken);
        await errors.CompleteAsync(cancellationToken);
        (written.ResultCount, written.ErrorCount) = (results.LineCount, errors.LineCount);
        return written;
    }
}
