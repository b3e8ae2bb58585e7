namespace Dsde.Batches.Files.Results;

/// <summary>Jobs of a batch that a file has no line for, so that what is written for the file lacks them.</summary>
/// <param name="Count">How many there are.</param>
/// <param name="EndedCount">Of these, jobs that have ended.</param>
/// <param name="Examples">Names of the first ones that are known, in the order in which workers saw them.</param>
internal sealed record AbsentJobs(int Count, int EndedCount, IReadOnlyList<string> Examples)
{
    private const int MostExamples = 3;

    /// <summary>None.</summary>
    public static AbsentJobs None { get; } = new(0, 0, []);

    /// <summary>Looks through the batch for jobs that are not in the file. Memory grows with the file's ids.</summary>
    /// <param name="lines">The lines of the file.</param>
    /// <param name="jobs">Where jobs are looked up.</param>
    /// <param name="batchId">The batch.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<AbsentJobs> FindAsync(
        IAsyncEnumerable<BatchFileLine> lines,
        IKnownJobs jobs,
        Guid batchId,
        CancellationToken cancellationToken
    )
    {
        var inFile = await lines
            .Where(line => line.Job is not null)
            .Select(line => line.JobId)
            .ToHashSetAsync(comparer: null, cancellationToken);
        var (count, endedCount, examples) = (0, 0, new List<string>());
        await foreach (var (jobId, customId, hasEnded) in jobs.ReadNamesAsync(batchId, cancellationToken))
        {
            if (inFile.Contains(jobId))
            {
                continue;
            }

            count++;
            endedCount += hasEnded ? 1 : 0;
            if (examples.Count < MostExamples)
            {
                examples.Add(customId is null ? $"job {jobId}" : $"'{customId}'");
            }
        }

        return new AbsentJobs(count, endedCount, examples);
    }

    /// <summary>The same with those that no worker has seen yet, which have no names.</summary>
    /// <param name="jobCount">Jobs of the batch; null if nobody said.</param>
    /// <param name="lineCount">Jobs of the batch that the file has.</param>
    public AbsentJobs WithUnseen(int? jobCount, int lineCount) => this with { Count = Math.Max(Count, (jobCount ?? 0) - lineCount) };

    /// <summary>For example: 'a', 'b', 'c' and 4 more.</summary>
    public string Describe()
    {
        var rest = Count - Examples.Count;
        return (Examples.Count, rest) switch
        {
            (_, 0) => string.Join(", ", Examples),
            (0, _) => "no worker has seen them yet",
            _ => $"{string.Join(", ", Examples)} and {rest} more",
        };
    }
}
