namespace Dsde.Batches.Files.Results;

/// <summary>What a file that is submitted again under the id of a batch has to do with the jobs of that batch.</summary>
/// <param name="KnownCount">Lines whose job is known.</param>
/// <param name="Ended">Of these, the jobs that have ended.</param>
/// <param name="Conflicts">Of these, the jobs whose line asks for something else than they were submitted with.</param>
internal sealed record ChangedLines(int KnownCount, IReadOnlySet<Guid> Ended, IReadOnlySet<Guid> Conflicts)
{
    private const int ChunkSize = 256;

    /// <summary>Of a batch that nobody knows.</summary>
    public static ChangedLines None { get; } = new(0, new HashSet<Guid>(), new HashSet<Guid>());

    /// <summary>Compares a file with what is known of its jobs. Memory grows with the ended jobs.</summary>
    public static async Task<ChangedLines> FindAsync(
        IAsyncEnumerable<BatchFileLine> lines,
        IKnownJobs jobs,
        CancellationToken cancellationToken
    )
    {
        var (count, ended, conflicts) = (0, new HashSet<Guid>(), new HashSet<Guid>());
        await foreach (var chunk in lines.Where(line => line.Job is not null).Chunk(ChunkSize).WithCancellation(cancellationToken))
        {
            var known = await jobs.FindAsync([.. chunk.Select(line => line.JobId)], cancellationToken);
            count += known.Count;
            ended.UnionWith(known.Values.Where(job => job.End is not null).Select(job => job.JobId));
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

        return new ChangedLines(count, ended, conflicts);
    }
}
