namespace Dsde.Analytics.Exporting;

/// <summary>A format of files.</summary>
/// <param name="Extension">What their names end in.</param>
/// <param name="CreateAsync">Begins a file for a table at a path.</param>
internal sealed record ExportFormat(string Extension, Func<string, ExportTable, CancellationToken, Task<IExportFile>> CreateAsync)
{
    /// <summary>Parquet.</summary>
    public static ExportFormat Parquet { get; } = new("parquet", ParquetFile.CreateAsync);

    /// <summary>Comma-separated values.</summary>
    public static ExportFormat Csv { get; } = new("csv", CsvFile.CreateAsync);
}
