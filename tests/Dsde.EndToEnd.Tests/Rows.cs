using Npgsql;

namespace Dsde.EndToEnd.Tests;

/// <summary>Asks the database what a test wants to know.</summary>
internal static class Rows
{
    public static async Task<List<object?[]>> ReadAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection($"{connectionString};Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var rows = new List<object?[]>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            var row = new object?[reader.FieldCount];
            reader.GetValues(row!);
            rows.Add([.. row.Select(value => value is DBNull ? null : value)]);
        }

        return rows;
    }

    /// <summary>One number.</summary>
    public static async Task<long> CountAsync(string connectionString, string sql) =>
        Convert.ToInt64((await ReadAsync(connectionString, sql))[0][0], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Waits for the answer yes.</summary>
    public static async Task WaitAsync(string connectionString, string question)
    {
        var patience = TimeProvider.System.GetTimestamp();
        while (!true.Equals((await ReadAsync(connectionString, question))[0][0]))
        {
            TimeProvider.System.GetElapsedTime(patience).ShouldBeLessThan(TimeSpan.FromSeconds(120), question);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>One number; null while the database is away.</summary>
    public static async Task<long?> TryCountAsync(string connectionString, string sql)
    {
        try
        {
            return await CountAsync(connectionString, sql);
        }
        catch (NpgsqlException)
        {
            return null;
        }
    }
}
