using Dsde.Batches.Files;
using Dsde.Batches.Files.Results;

namespace Dsde.Batches.Following;

/// <summary>A job file, to be read as often as needed; nothing of it is kept.</summary>
/// <param name="Path">The file.</param>
/// <param name="Limit">Lines with jobs to read; null for all.</param>
/// <param name="Defaults">What jobs get where their line is silent.</param>
internal sealed record JobFile(string Path, int? Limit, BatchDefaults Defaults)
{
    /// <summary>The lines, up to the limit of jobs.</summary>
    public async IAsyncEnumerable<BatchFileLine> ReadAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var stream = BatchFileReader.Open(Path);
        var jobs = 0;
        await foreach (var line in BatchFileReader.ReadAsync(stream, Defaults, cancellationToken))
        {
            if (line.Job is not null && ++jobs > Limit)
            {
                yield break;
            }

            yield return line;
        }
    }

    /// <summary>Results written to <paramref name="folder"/> must not replace the file.</summary>
    /// <exception cref="JobFileException">They would.</exception>
    public void RequireNotIn(string folder)
    {
        if (
            new[] { ResultFiles.ResultsName, ResultFiles.ErrorsName }.Any(name =>
                System.IO.Path.GetFullPath(name, System.IO.Path.GetFullPath(folder)) == System.IO.Path.GetFullPath(Path)
            )
        )
        {
            throw new JobFileException($"Job file {Path} would be replaced by the results of that name. Give another folder with --out.");
        }
    }

    /// <summary>Jobs and bad lines.</summary>
    /// <exception cref="JobFileException">The file is missing or has nothing in it.</exception>
    public async Task<(int Jobs, int Errors)> CountAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(Path))
        {
            throw new JobFileException(
                $"Job file {Path} is missing. Give a file of JSON lines in the OpenAI batch format, for example samples/mixed.jsonl."
            );
        }

        var (jobs, errors) = (0, 0);
        await foreach (var line in ReadAsync(cancellationToken))
        {
            _ = line.Job is null ? errors++ : jobs++;
        }

        return jobs + errors > 0
            ? (jobs, errors)
            : throw new JobFileException(
                $"Job file {Path} is empty: it has no jobs. Give a file of JSON lines in the OpenAI batch format."
            );
    }
}
