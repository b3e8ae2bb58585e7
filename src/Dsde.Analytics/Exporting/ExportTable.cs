using Dsde.Persistence.Describing;
using Parquet.Schema;

namespace Dsde.Analytics.Exporting;

/// <summary>A table that is being written: its columns, and what they mean.</summary>
/// <param name="name">Its name.</param>
/// <param name="relation">The table or view of the database whose columns it has.</param>
internal abstract class ExportTable(string name, string relation)
{
    private readonly List<ExportColumn> _columns = [];

    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>Its columns in order.</summary>
    public IReadOnlyList<ExportColumn> Columns => _columns;

    /// <summary>Rows that have not been written yet.</summary>
    public int RowCount { get; private set; }

    /// <summary>What every column means, with its unit and range, by name.</summary>
    public IReadOnlyDictionary<string, string> Meanings =>
        TelemetryDictionary
            .Relations.Single(one => one.Name == relation)
            .Columns.Where(column => _columns.Exists(mine => mine.Name == column.Name))
            .Select(column => KeyValuePair.Create(column.Name, column.Comment))
            .Concat(OwnMeanings)
            .ToDictionary();

    /// <summary>Of columns that the database has not.</summary>
    protected virtual IReadOnlyDictionary<string, string> OwnMeanings { get; } = new Dictionary<string, string>();

    /// <summary>The rows that were waiting are written.</summary>
    public void Clear()
    {
        _columns.ForEach(column => column.Clear());
        RowCount = 0;
    }

    /// <summary>A row has been added to every column.</summary>
    protected void EndRow() => RowCount++;

    /// <summary>A column of text.</summary>
    protected ExportTextColumn Text(string column) => Keep(new ExportTextColumn(column));

    /// <summary>A column of values.</summary>
    protected ExportColumn<T> Value<T>(string column)
        where T : struct => Keep(new ExportColumn<T>(column));

    /// <summary>A column of moments in UTC, to the microsecond.</summary>
    protected ExportColumn<DateTime> Time(string column) =>
        Keep(
            new ExportColumn<DateTime>(
                column,
                new DateTimeDataField(
                    column,
                    DateTimeFormat.Timestamp,
                    isAdjustedToUTC: true,
                    unit: DateTimeTimeUnit.Micros,
                    isNullable: true
                )
            )
        );

    private T Keep<T>(T column)
        where T : ExportColumn
    {
        _columns.Add(column);
        return column;
    }
}
