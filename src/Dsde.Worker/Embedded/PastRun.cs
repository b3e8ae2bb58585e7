using Dsde.Batches.Files.Results;
using Dsde.Batches.Following;
using Dsde.Batches.Reporting;
using Dsde.Persistence;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline;
using Dsde.Worker.Cli;

namespace Dsde.Worker.Embedded;

/// <summary>A run that was broken off and is to go on.</summary>
internal static class PastRun
{
    private const int MostRuns = 1000;

    /// <summary>The file as a part of the latest run of it that has jobs left, or whose results were not finished.</summary>
    /// <param name="databasePath">The run's database.</param>
    /// <param name="file">The job file.</param>
    /// <param name="jobCount">Jobs in it.</param>
    /// <param name="unfinished">The batch of a run of it whose results are known not to be finished; null if none is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ExpectedFailureException">There is no such run, or the file is not as it was.</exception>
    public static async Task<JobFile> FindAsync(
        string databasePath,
        JobFile file,
        int jobCount,
        Guid? unfinished,
        CancellationToken cancellationToken
    )
    {
        await using var services = new ServiceCollection()
            .AddSingleton(TimeProvider.System)
            .AddDsdePersistence(
                new PersistenceOptions { Provider = PersistenceOptions.Sqlite, ConnectionString = ConnectionStrings.ForFile(databasePath) }
            )
            .BuildServiceProvider();
        if ((await services.GetRequiredService<IDatabaseMigrator>().InspectAsync(cancellationToken)).Problem is { } problem)
        {
            throw new ExpectedFailureException(problem);
        }

        var store = services.GetRequiredService<IJobStore>();
        var name = Path.GetFileName(file.Path);
        var progress =
            (unfinished is { } batchId ? await store.FindBatchAsync(batchId, cancellationToken) : null)
            ?? (await store.FindBatchesUnderWayAsync(MostRuns, cancellationToken)).FirstOrDefault(batch => batch.Source == name)?.Progress
            ?? throw new ExpectedFailureException(
                $"{databasePath} has no run of {name} that was broken off: what there was has ended, or the file had another name. "
                    + "Run it without --resume."
            );
        if (progress.JobCount != jobCount)
        {
            throw new ExpectedFailureException(
                $"The run of {name} in {databasePath} had {Quantity.Of(progress.JobCount ?? 0, "job")}, now the file has {jobCount}. "
                    + "Give the file and the --limit it was started with, or run it without --resume."
            );
        }

        var same = file with { Defaults = file.Defaults with { BatchId = progress.BatchId } };
        var changed = await ChangedLines.FindAsync(same.ReadAsync(cancellationToken), new StoredJobs(store), cancellationToken);
        var lost = progress.Running + progress.Ended - changed.KnownCount;
        return changed.Conflicts.Count == 0 && lost <= 0
            ? same
            : throw new ExpectedFailureException(
                $"{Quantity.Of(Math.Max(lost, changed.Conflicts.Count), "job")} of the run of {name} in {databasePath} can't be "
                    + "found in the file as run: it was changed since, or started with another --seed or model. "
                    + "Give it as it was, or run it without --resume."
            );
    }
}
