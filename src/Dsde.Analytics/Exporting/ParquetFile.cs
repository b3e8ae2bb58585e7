using Parquet;
using Parquet.Schema;

namespace Dsde.Analytics.Exporting;

/// <summary>A Parquet file. What its columns mean is in its metadata, a key per column.</summary>
internal sealed class ParquetFile : IExportFile
{
    private readonly FileStream _stream;
    private readonly ParquetWriter _writer;

    private ParquetFile(FileStream stream, ParquetWriter writer) => (_stream, _writer) = (stream, writer);

    /// <summary>Begins it.</summary>
    public static async Task<IExportFile> CreateAsync(string path, ExportTable table, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(table);
        var stream = new FileStream(path, FileMode.Create, FileAccess.ReadWrite);
        var schema = new ParquetSchema(table.Columns.Select(column => column.Field));
        var writer = await ParquetWriter.CreateAsync(schema, stream, cancellationToken: cancellationToken);
        writer.CustomMetadata = table.Meanings;
        return new ParquetFile(stream, writer);
    }

    /// <inheritdoc/>
    public async Task WriteAsync(ExportTable table, CancellationToken cancellationToken)
    {
        using (var group = _writer.CreateRowGroup())
        {
            foreach (var column in table.Columns)
            {
                await column.WriteAsync(group, cancellationToken);
            }
        }

        table.Clear();
    }

    /// <inheritdoc/>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await _writer.DisposeAsync(); // writes the footer
        await _stream.FlushAsync(cancellationToken);
        _stream.Flush(flushToDisk: true);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _stream.DisposeAsync();
}
