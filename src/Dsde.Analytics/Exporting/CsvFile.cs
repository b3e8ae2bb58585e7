using System.Text;

namespace Dsde.Analytics.Exporting;

/// <summary>A CSV file (RFC 4180) in UTF-8 with a line of names; null is an empty field.</summary>
internal sealed class CsvFile : IExportFile
{
    private const string MustBeQuoted = ",\"\r\n";
    private readonly FileStream _stream;
    private readonly StreamWriter _writer;

    private CsvFile(FileStream stream) =>
        (_stream, _writer) = (stream, new StreamWriter(stream, new UTF8Encoding(false)) { NewLine = "\r\n" });

    /// <summary>Begins it.</summary>
    public static async Task<IExportFile> CreateAsync(string path, ExportTable table, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(table);
        var file = new CsvFile(new FileStream(path, FileMode.Create, FileAccess.Write));
        var names = string.Join(',', table.Columns.Select(column => column.Name));
        await file._writer.WriteLineAsync(names.AsMemory(), cancellationToken);
        return file;
    }

    /// <inheritdoc/>
    public async Task WriteAsync(ExportTable table, CancellationToken cancellationToken)
    {
        for (var row = 0; row < table.RowCount; row++)
        {
            for (var i = 0; i < table.Columns.Count; i++)
            {
                _writer.Write(i > 0 ? "," : "");
                _writer.Write(Quote(table.Columns[i].Text(row)));
            }

            _writer.WriteLine();
        }

        table.Clear();
        await _writer.FlushAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await _writer.FlushAsync(cancellationToken);
        _stream.Flush(flushToDisk: true);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _writer.DisposeAsync();

    private static string Quote(string text) =>
        text.AsSpan().ContainsAny(MustBeQuoted) ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
