using Dsde.Persistence.Analysis;

namespace Dsde.Analytics.Exporting;

/// <summary>
/// A file for each of some tables, of one day. They are written under other names and get their own when all of them are whole, so that
/// nobody ever sees half a file; what an export that was broken off left behind is overwritten by the next one, which begins at the same
/// row and so with the same name.
/// </summary>
internal sealed class ExportPart : IAsyncDisposable
{
    private const int GroupRows = 20_000;
    private const string Unfinished = ".unfinished";

    private readonly List<(ExportTable Table, IExportFile File, string Path)> _files = [];

    private ExportPart(DateOnly day) => Day = day;

    /// <summary>The day in UTC.</summary>
    public DateOnly Day { get; }

    /// <summary>Rows in all of its files.</summary>
    public long RowCount { get; private set; }

    /// <summary>Begins it.</summary>
    /// <param name="folder">Where the tables' folders are.</param>
    /// <param name="tables">The tables.</param>
    /// <param name="format">The files' format.</param>
    /// <param name="first">Its first row.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<ExportPart> CreateAsync(
        string folder,
        IEnumerable<ExportTable> tables,
        ExportFormat format,
        TracePlace first,
        CancellationToken cancellationToken
    )
    {
        var part = new ExportPart(DateOnly.FromDateTime(first.StoredAt.UtcDateTime));
        foreach (var table in tables)
        {
            table.Clear();
            var days = Path.Combine(folder, table.Name, $"day={part.Day:yyyy-MM-dd}");
            Directory.CreateDirectory(days);
            var path = Path.Combine(days, $"{first.StoredAt.UtcDateTime:HHmmssffffff}-{first.JobId:N}-{first.Choice}.{format.Extension}");
            part._files.Add((table, await format.CreateAsync(path + Unfinished, table, cancellationToken), path));
        }

        return part;
    }

    /// <summary>Writes what waits in the tables, as far as it is enough for a group of rows.</summary>
    public Task WriteAsync(CancellationToken cancellationToken) => WriteAsync(GroupRows, cancellationToken);

    /// <summary>Writes the rest, and gives the files their names.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await WriteAsync(1, cancellationToken);
        foreach (var (_, file, _) in _files)
        {
            await file.CompleteAsync(cancellationToken);
            await file.DisposeAsync();
        }

        foreach (var (_, _, path) in _files)
        {
            File.Move(path + Unfinished, path, overwrite: true);
        }

        _files.Clear();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var (_, file, path) in _files)
        {
            await file.DisposeAsync();
            File.Delete(path + Unfinished);
        }
    }

    private async Task WriteAsync(int least, CancellationToken cancellationToken)
    {
        foreach (var (table, file, _) in _files.Where(one => one.Table.RowCount >= least))
        {
            RowCount += table.RowCount;
            await file.WriteAsync(table, cancellationToken);
        }
    }
}
