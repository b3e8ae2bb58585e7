using System.Collections.Concurrent;
using System.Threading.Channels;
using Dsde.Batches.Files.Writing;

namespace Dsde.Batches.Files.Results;

/// <summary>
/// <c>results.jsonl</c> and <c>errors.jsonl</c> of a run that is under way: every end is appended once it is stored, so that whatever
/// becomes of the process the files have what has ended by then, line by line. At the end of the run <see cref="ResultFiles"/> puts files
/// in the order of the job file in their place.
/// </summary>
internal sealed class GrowingResults : IAsyncDisposable
{
    private const int ChunkSize = 256;

    private readonly IKnownJobs _jobs;
    private readonly JsonLinesFile _results;
    private readonly JsonLinesFile _errors;
    private readonly WrittenResults _written = new();
    private readonly HashSet<Guid> _endedBefore = [];
    private readonly ConcurrentDictionary<Guid, (LineOrigin Origin, bool IsChat)> _underWay = [];
    private readonly Channel<Guid> _ended = Channel.CreateUnbounded<Guid>(new UnboundedChannelOptions { SingleReader = true });
    private Task _writing = Task.CompletedTask;

    private GrowingResults(string folder, IKnownJobs jobs)
    {
        _jobs = jobs;
        _results = new JsonLinesFile(Path.Combine(folder, ResultFiles.ResultsName), isGrowing: true);
        _errors = new JsonLinesFile(Path.Combine(folder, ResultFiles.ErrorsName), isGrowing: true);
    }

    /// <summary>Jobs of the file that had ended before this run.</summary>
    public int EndedBeforeCount => _endedBefore.Count;

    /// <summary>Replaces both files by what is known of the lines: their mistakes, and ends of an earlier run.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="lines">The lines of the file.</param>
    /// <param name="jobs">Where jobs are looked up.</param>
    /// <param name="cancellationToken">Gives up; the files are then as they were.</param>
    public static async Task<GrowingResults> StartAsync(
        string folder,
        IAsyncEnumerable<BatchFileLine> lines,
        IKnownJobs jobs,
        CancellationToken cancellationToken
    )
    {
        Directory.CreateDirectory(folder);
        var growing = new GrowingResults(folder, jobs);
        await using (var results = new JsonLinesFile(Path.Combine(folder, ResultFiles.ResultsName)))
        await using (var errors = new JsonLinesFile(Path.Combine(folder, ResultFiles.ErrorsName)))
        {
            await foreach (var chunk in lines.Chunk(ChunkSize).WithCancellation(cancellationToken))
            {
                await growing.WriteKnownAsync(chunk, results, errors, cancellationToken);
            }

            await results.CompleteAsync(cancellationToken);
            await errors.CompleteAsync(cancellationToken);
        }

        growing._writing = growing.AppendAsync();
        return growing;
    }

    /// <summary>Whether a line is still to be sent; then its end is expected.</summary>
    public bool Expect(BatchFileLine line)
    {
        if (line.Job is not { } job || _endedBefore.Contains(line.JobId))
        {
            return false;
        }

        _underWay[line.JobId] = (OriginOf(line), job.Messages is not null);
        return true;
    }

    /// <summary>Takes in that a job's end has been stored.</summary>
    public void See(Guid jobId) => _ended.Writer.TryWrite(jobId);

    /// <summary>Ends when all that was seen is in the files.</summary>
    /// <exception cref="IOException">Something could not be written.</exception>
    public async ValueTask DisposeAsync()
    {
        _ended.Writer.TryComplete();
        try
        {
            await _writing;
        }
        finally
        {
            await _results.DisposeAsync();
            await _errors.DisposeAsync();
        }
    }

    private async Task WriteKnownAsync(
        BatchFileLine[] lines,
        JsonLinesFile results,
        JsonLinesFile errors,
        CancellationToken cancellationToken
    )
    {
        var ids = lines.Where(line => line.Job is not null).Select(line => line.JobId).ToList();
        var known = await _jobs.FindAsync(ids, cancellationToken);
        foreach (var line in lines)
        {
            if (line.Error is { } error)
            {
                await errors.WriteAsync(json => ErrorLine.WriteRefused(json, OriginOf(line), error), cancellationToken);
            }
            else if (known.GetValueOrDefault(line.JobId)?.End is { } end)
            {
                _endedBefore.Add(line.JobId);
                var isChat = line.Job?.Messages is not null;
                await ResultFiles.WriteEndAsync(OriginOf(line), isChat, end, results, errors, _written, cancellationToken);
            }
        }
    }

    private async Task AppendAsync()
    {
        var ids = new List<Guid>(ChunkSize);
        while (await _ended.Reader.WaitToReadAsync())
        {
            ids.Clear();
            while (ids.Count < ChunkSize && _ended.Reader.TryRead(out var id))
            {
                ids.Add(id);
            }

            await AppendAsync(ids);
        }
    }

    private async Task AppendAsync(IReadOnlyList<Guid> ids)
    {
        var known = await _jobs.FindAsync(ids, CancellationToken.None);
        foreach (var id in ids)
        {
            if (known.GetValueOrDefault(id)?.End is { } end && _underWay.TryRemove(id, out var line))
            {
                await ResultFiles.WriteEndAsync(line.Origin, line.IsChat, end, _results, _errors, _written, CancellationToken.None);
            }
        }

        await _results.FlushAsync(CancellationToken.None);
        await _errors.FlushAsync(CancellationToken.None);
    }

    private static LineOrigin OriginOf(BatchFileLine line) => new(line.JobId, line.Number, line.CustomId, line.IgnoredFields);
}
