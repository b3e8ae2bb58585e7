using System.Globalization;
using Parquet;
using Parquet.Schema;

namespace Dsde.Analytics.Exporting;

/// <summary>A column of a table that is being written, with the values of the rows that have not been written yet.</summary>
/// <param name="name">Its name, as in the database.</param>
internal abstract class ExportColumn(string name)
{
    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>As Parquet has it.</summary>
    public abstract DataField Field { get; }

    /// <summary>Writes the values that are waiting, and forgets them.</summary>
    public abstract Task WriteAsync(ParquetRowGroupWriter group, CancellationToken cancellationToken);

    /// <summary>Forgets the values that are waiting.</summary>
    public abstract void Clear();

    /// <summary>A waiting value as text; empty for null.</summary>
    public abstract string Text(int row);
}

/// <summary>A column of numbers, truth values or ids of times.</summary>
internal sealed class ExportColumn<T>(string name, DataField? field = null) : ExportColumn(name)
    where T : struct
{
    private readonly List<T?> _values = [];

    /// <inheritdoc/>
    public override DataField Field { get; } = field ?? new DataField(name, typeof(T), isNullable: true);

    /// <summary>Adds the value of the next row.</summary>
    public void Add(T? value) => _values.Add(value);

    /// <inheritdoc/>
    public override async Task WriteAsync(ParquetRowGroupWriter group, CancellationToken cancellationToken)
    {
        await group.WriteAsync<T>(Field, _values.ToArray().AsMemory(), cancellationToken: cancellationToken);
        Clear();
    }

    /// <inheritdoc/>
    public override void Clear() => _values.Clear();

    /// <inheritdoc/>
    public override string Text(int row) =>
        _values[row] switch
        {
            null => "",
            DateTime time => time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
            bool value => value ? "true" : "false",
            IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
            var value => value.ToString() ?? "",
        };
}

/// <summary>A column of text.</summary>
internal sealed class ExportTextColumn(string name) : ExportColumn(name)
{
    private readonly List<string?> _values = [];

    /// <inheritdoc/>
    public override DataField Field { get; } = new DataField(name, typeof(string), isNullable: true);

    /// <summary>Adds the value of the next row.</summary>
    public void Add(string? value) => _values.Add(value);

    /// <inheritdoc/>
    public override async Task WriteAsync(ParquetRowGroupWriter group, CancellationToken cancellationToken)
    {
        await group.WriteAsync(Field, _values!);
        Clear();
    }

    /// <inheritdoc/>
    public override void Clear() => _values.Clear();

    /// <inheritdoc/>
    public override string Text(int row) => _values[row] ?? "";
}
