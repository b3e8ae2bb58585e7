namespace Dsde.Analytics.Exporting;

/// <summary>A file of a table, under its final name only once it is whole.</summary>
internal interface IExportFile : IAsyncDisposable
{
    /// <summary>Writes the rows that wait in the table, and takes them from it.</summary>
    Task WriteAsync(ExportTable table, CancellationToken cancellationToken);

    /// <summary>Nothing more comes: what is written is whole.</summary>
    Task CompleteAsync(CancellationToken cancellationToken);
}
