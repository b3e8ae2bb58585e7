using Dsde.Testing;
using Npgsql;

namespace Dsde.EndToEnd.Tests;

/// <summary>A worker for all tests of a class.</summary>
public sealed class SharedWorker(RabbitMqServer rabbitMq, PostgresServer postgres) : IAsyncLifetime
{
    private WorkerUnderTest? _worker;

    internal WorkerUnderTest Worker => _worker ?? throw new InvalidOperationException("The worker has not been started.");

    public async ValueTask InitializeAsync() => _worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres);

    public ValueTask DisposeAsync() => _worker?.DisposeAsync() ?? ValueTask.CompletedTask;

    internal Task<EventTap> OpenTapAsync() => EventTap.OpenAsync(rabbitMq.Port, Worker.VirtualHost);

    /// <summary>The rows of a query.</summary>
    internal async Task<List<object?[]>> RowsAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Worker.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var rows = new List<object?[]>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            var row = new object?[reader.FieldCount];
            reader.GetValues(row!);
            rows.Add(row);
        }

        return rows;
    }

    /// <summary>Waits until the worker has claimed jobs.</summary>
    internal async Task WaitUntilRunningAsync(params Guid[] jobIds)
    {
        var ids = string.Join(',', jobIds.Select(id => $"'{id}'"));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while ((long)(await RowsAsync($"SELECT count(*) FROM generation_jobs WHERE state = 'running' AND job_id IN ({ids})"))[0][0]! < jobIds.Length)
        {
            await Task.Delay(50, patience.Token);
        }
    }
}
