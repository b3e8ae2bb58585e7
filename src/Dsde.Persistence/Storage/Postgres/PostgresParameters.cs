using Npgsql;
using NpgsqlTypes;

namespace Dsde.Persistence.Storage.Postgres;

/// <summary>Columns of rows as arrays, for <c>unnest</c>.</summary>
internal static class PostgresParameters
{
    /// <summary>Adds a value.</summary>
    public static void Add<T>(this NpgsqlParameterCollection parameters, T value, NpgsqlDbType type) =>
        parameters.Add(new NpgsqlParameter<T> { TypedValue = value, NpgsqlDbType = type });

    /// <summary>Adds a column.</summary>
    public static void AddColumn<TRow, T>(
        this NpgsqlParameterCollection parameters,
        TRow[] rows,
        NpgsqlDbType type,
        Converter<TRow, T> value
    ) => parameters.Add(Array.ConvertAll(rows, value), NpgsqlDbType.Array | type);

    /// <summary>
    /// Adds a column of arrays of unequal lengths, which <c>unnest</c> can't take apart: all of them in one, and two columns that say which
    /// part is whose.
    /// </summary>
    public static void AddArrays<TRow, T>(
        this NpgsqlParameterCollection parameters,
        TRow[] rows,
        NpgsqlDbType type,
        Converter<TRow, T[]?> value
    )
    {
        var all = new List<T>();
        var (first, last) = (new int?[rows.Length], new int?[rows.Length]);
        for (var i = 0; i < rows.Length; i++)
        {
            if (value(rows[i]) is { } array)
            {
                first[i] = all.Count + 1;
                all.AddRange(array);
                last[i] = all.Count;
            }
        }

        parameters.Add(all.ToArray(), NpgsqlDbType.Array | type);
        parameters.Add(first, NpgsqlDbType.Array | NpgsqlDbType.Integer);
        parameters.Add(last, NpgsqlDbType.Array | NpgsqlDbType.Integer);
    }
}
