using System.Runtime.CompilerServices;
using Dsde.Persistence.Analysis;

namespace Dsde.Analytics.Exporting;

/// <summary>
/// Writes what is in a database into files, day by day, and goes on where it was at the last time. Rows are read in pages and written in
/// groups, so that memory does not grow with their number.
/// </summary>
internal sealed class Export(IReportReader reader, string folder, ExportFormat format, Action<ExportProgress> report)
{
    private const long PartRows = 5_000_000; // of a file, about; a day may have several

    private long _jobs;
    private long _outputs;
    private long _rows;

    /// <summary>Exports what has come since the last time.</summary>
    /// <param name="filter">What; its end leaves out what is still being stored.</param>
    /// <param name="description">The same in words, without the end.</param>
    /// <param name="cancellationToken">Gives up; parts that are whole stay, and the next export goes on behind them.</param>
    /// <exception cref="AnalyticsException">The folder holds another export.</exception>
    public async Task<ExportProgress> RunAsync(TraceFilter filter, string description, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var mark = await Watermark.ReadAsync(folder, cancellationToken) ?? new Watermark(format.Extension, description, null, null);
        if (mark.Format != format.Extension || mark.Filter != description)
        {
            throw new AnalyticsException(
                $"{folder} holds an export of {mark.Filter} as {mark.Format}, not of {description} as {format.Extension}. "
                    + "Give another folder."
            );
        }

        var jobs = new JobsTable();
        await WriteAsync(
            reader.ReadEndedJobsAsync(filter with { After = mark.Jobs }, cancellationToken),
            [jobs],
            job => new TracePlace(job.EndedAt, job.JobId, 0),
            job =>
            {
                jobs.Add(job);
                _jobs++;
            },
            place => mark = mark with { Jobs = place }
        );
        TraceTable[] tables = [new OutputsTable(), new IterationsTable(), new ProposalsTable(), new TokensTable()];
        await WriteAsync(
            reader.ReadAsync(filter with { After = mark.Outputs }, cancellationToken),
            tables,
            stored => new TracePlace(stored.StoredAt, stored.JobId, stored.Choice),
            stored =>
            {
                Array.ForEach(tables, table => table.Add(stored));
                _outputs++;
            },
            place => mark = mark with { Outputs = place }
        );
        return Progress();

        async Task WriteAsync<T>(
            IAsyncEnumerable<T> rows,
            IReadOnlyList<ExportTable> parts,
            Func<T, TracePlace> placeOf,
            Action<T> add,
            Action<TracePlace> reached
        )
        {
            await foreach (var place in WritePartsAsync(rows, parts, placeOf, add, cancellationToken))
            {
                reached(place);
                await mark.WriteAsync(folder, cancellationToken);
                report(Progress());
            }
        }
    }

    /// <summary>The last row of each part, once the part is whole.</summary>
    private async IAsyncEnumerable<TracePlace> WritePartsAsync<T>(
        IAsyncEnumerable<T> rows,
        IReadOnlyList<ExportTable> tables,
        Func<T, TracePlace> placeOf,
        Action<T> add,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var (part, last) = (default(ExportPart?), default(TracePlace));
        try
        {
            await foreach (var row in rows.WithCancellation(cancellationToken))
            {
                var place = placeOf(row);
                if (part is not null && (part.RowCount >= PartRows || part.Day != DateOnly.FromDateTime(place.StoredAt.UtcDateTime)))
                {
                    await CompleteAsync(part, cancellationToken);
                    part = null;
                    yield return last;
                }

                part ??= await ExportPart.CreateAsync(folder, tables, format, place, cancellationToken);
                add(row);
                last = place;
                await part.WriteAsync(cancellationToken);
            }

            if (part is not null)
            {
                await CompleteAsync(part, cancellationToken);
                part = null;
                yield return last;
            }
        }
        finally
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }
    }

    private async Task CompleteAsync(ExportPart part, CancellationToken cancellationToken)
    {
        await part.CompleteAsync(cancellationToken);
        _rows += part.RowCount;
    }

    private ExportProgress Progress() => new(_jobs, _outputs, _rows);
}

/// <summary>What an export has written.</summary>
/// <param name="Jobs">Jobs.</param>
/// <param name="Outputs">Outputs with telemetry.</param>
/// <param name="Rows">Rows of all tables.</param>
internal sealed record ExportProgress(long Jobs, long Outputs, long Rows);
