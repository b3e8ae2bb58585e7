namespace Dsde.Persistence.Describing;

/// <summary>What a table, a view or a function is.</summary>
/// <param name="Kind">Which of them, in SQL's words.</param>
/// <param name="Name">Its name.</param>
/// <param name="Text">In sentences.</param>
/// <param name="Columns">Its columns; none of a function.</param>
internal sealed record RelationDescription(string Kind, string Name, string Text, IReadOnlyList<ColumnDescription> Columns);

/// <summary>What a column holds.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Meaning">In sentences.</param>
/// <param name="Unit">The unit; null if it has none.</param>
/// <param name="Range">Which values there can be; null if any.</param>
/// <param name="Null">When it is null; null if never.</param>
internal sealed record ColumnDescription(string Name, string Meaning, string? Unit, string? Range, string? Null)
{
    /// <summary>All of it in one text.</summary>
    public string Comment =>
        string.Concat(
            Meaning,
            Unit is null ? "" : $" Unit: {Unit}.",
            Range is null ? "" : $" Range: {Range}.",
            Null is null ? "" : $" Null: {Null}."
        );
}
