namespace Dsde.Batches.Files.Results;

/// <summary>What a file that is submitted again under the id of a batch has to do with the jobs of that batch.</summary>
/// <param name="KnownCount">Lines whose job is known.</param>
/// <param name="Conflicts">Of these, the jobs whose line asks for something else than they were submitted with.</param>
internal sealed record ChangedLines(int KnownCount, IReadOnlySet<Guid> Conflicts)
{
    private const int ChunkSize = 256;

    /// <summary>Compares a file with what is known of its jobs. Memory grows with the conflicts only.</summary>
    public static async Task<ChangedLines> FindAsync(
        IAsyncEnumerable<BatchFileLine> lines,
        IKnownJobs jobs,
        CancellationToken cancellationToken
    )
    {
        var (count, conflicts) = (0, new HashSet<Guid>());
        await foreach (var chunk in lines.Where(line => line.Job is not null).Chunk(ChunkSize).WithCancellation(cancellationToken))
        {
            var known = await jobs.FindAsync([.. chunk.Select(line => line.JobId)], cancellationToken);
            count += known.Count;
            conflicts.UnionWith(
                chunk
                    .Where(line =>
                        line.Job is { } job
                        && known.TryGetValue(line.JobId, out var found)
                        && !LineMatch.Fits(job, found, defaultsAreForgotten: false)
                    )
                    .Select(line => line.JobId)
            );
        }

        return new ChangedLines(count, conflicts);
    }
}
