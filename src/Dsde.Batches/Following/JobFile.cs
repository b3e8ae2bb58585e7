using Dsde.Batches.Files;
using Dsde.Batches.Files.Results;

namespace Dsde.Batches.Following;

/// <summary>A job file, to be read as often as needed; nothing of it is kept in memory.</summary>
/// <param name="Path">The file, as it was named.</param>
/// <param name="Limit">Lines with jobs to read; null for all.</param>
/// <param name="Defaults">What jobs get where their line is silent.</param>
internal sealed record JobFile(string Path, int? Limit, BatchDefaults Defaults) : IDisposable
{
    private const string StandardInput = "-";

    /// <summary>
    /// Copy of what can be read only once, a file without a name: it is gone with this process, whatever ends that. Null where the file
    /// itself can be read again.
    /// </summary>
    private FileStream? Copy { get; init; }

    /// <summary>Whether nobody else can read it again.</summary>
    public bool IsPipe => Copy is not null || Path == StandardInput;

    /// <summary>Opens a file, or takes a copy of a pipe (<c>-</c> is the standard input), which can be read only once.</summary>
    /// <exception cref="JobFileException">It is missing.</exception>
    public static async Task<JobFile> OpenAsync(string path, int? limit, BatchDefaults defaults, CancellationToken cancellationToken)
    {
        var file = new JobFile(path, limit, defaults);
        if (path != StandardInput && !File.Exists(path))
        {
            throw new JobFileException(
                $"Job file {path} is {(Directory.Exists(path) ? "a folder" : "missing")}. Give a file of JSON lines in the OpenAI batch "
                    + "format, for example samples/mixed.jsonl, or - for the standard input."
            );
        }

        // A pipe that nobody writes to can neither be opened nor read; whoever gives up waiting leaves that behind.
        var copying = Task.Run(() => CopyIfOnceAsync(path), CancellationToken.None);
        return file with { Copy = await copying.WaitAsync(cancellationToken) };
    }

    /// <summary>Removes the copy of a pipe.</summary>
    public void Dispose() => Copy?.Dispose();

    /// <summary>The lines, up to the limit of jobs.</summary>
    public async IAsyncEnumerable<BatchFileLine> ReadAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        // Opened anew each time, so that each reading has a place of its own.
        await using var stream = BatchFileReader.Open(Copy is null ? Path : $"/proc/self/fd/{Copy.SafeFileHandle.DangerousGetHandle()}");
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

    /// <summary>What is in it.</summary>
    /// <exception cref="JobFileException">The file has nothing in it.</exception>
    public async Task<JobFileCount> CountAsync(CancellationToken cancellationToken)
    {
        var (jobs, errors) = (0, 0);
        var models = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var line in ReadAsync(cancellationToken))
        {
            _ = line.Job is null ? errors++ : jobs++;
            if ((line.Job?.Model ?? line.NamedModel) is { } model && models.Count <= 1)
            {
                models.Add(model);
            }
        }

        return jobs + errors > 0
            ? new JobFileCount(jobs, errors, models.Count == 1 ? models.Single() : null)
            : throw new JobFileException(
                $"Job file {Path} is empty: it has no jobs. Give a file of JSON lines in the OpenAI batch format."
            );
    }

    /// <summary>A copy of what can be read only once; null of what can be read again.</summary>
    private static async Task<FileStream?> CopyIfOnceAsync(string path)
    {
        await using var stream = path == StandardInput ? Console.OpenStandardInput() : BatchFileReader.Open(path);
        return stream.CanSeek ? null : await CopyAsync(stream);
    }

    private static async Task<FileStream> CopyAsync(Stream pipe)
    {
        var path = System.IO.Path.GetTempFileName(); // nobody else may read it
        var copy = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, true);
        try
        {
            File.Delete(path);
            await pipe.CopyToAsync(copy);
            return copy;
        }
        catch
        {
            await copy.DisposeAsync();
            throw;
        }
    }
}
