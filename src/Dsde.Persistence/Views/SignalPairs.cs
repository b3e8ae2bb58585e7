namespace Dsde.Persistence.Views;

/// <summary>Which signal of an iteration is held against which outcome.</summary>
internal static class SignalPairs
{
    private static readonly (string Signal, string Outcome, string X, string Y)[] All =
    [
        ("kld", "acceptance", "mean_kld", "acceptance"),
        ("draft_entropy", "acceptance", "mean_draft_entropy", "acceptance"),
        ("beta", "acceptance", "mean_beta", "acceptance"),
        ("wvir", "acceptance", "wvir", "acceptance"),
        ("scale_factor", "acceptance", "scale_factor", "acceptance"),
        ("kld", "beta", "mean_kld", "mean_beta"),
        ("draft_entropy", "beta", "mean_draft_entropy", "mean_beta"),
    ];

    /// <summary>Rows of number and names.</summary>
    public static string Names { get; } = string.Join(", ", All.Select((pair, number) => $"({number}, '{pair.Signal}', '{pair.Outcome}')"));

    /// <summary>Rows of numbers and values of an iteration.</summary>
    public static string ToSql(string table) =>
        string.Join(
            ", ",
            All.Select((pair, number) => $"({number}, {table}.{pair.X}::double precision, {table}.{pair.Y}::double precision)")
        );

    /// <summary>The same as queries, one after the other.</summary>
    public static string ToUnion(string columns, string table) =>
        string.Join(
            " UNION ALL ",
            All.Select(pair =>
                $"SELECT {columns}, '{pair.Signal}' AS signal, '{pair.Outcome}' AS outcome, t.{pair.X} AS x, t.{pair.Y} AS y FROM {table} t"
            )
        );
}
