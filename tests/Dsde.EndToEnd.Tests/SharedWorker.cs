using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>A worker for all tests of a class.</summary>
public class SharedWorker(RabbitMqServer rabbitMq, PostgresServer postgres) : IAsyncLifetime
{
    private WorkerUnderTest? _worker;

    internal WorkerUnderTest Worker => _worker ?? throw new InvalidOperationException("The worker has not been started.");

    /// <summary>Settings besides those that every test has.</summary>
    protected virtual (string Name, string Value)[] Settings => [];

    public async ValueTask InitializeAsync() => _worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres, settings: Settings);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_worker is not null)
        {
            await _worker.DisposeAsync();
        }
    }

    internal Task<EventTap> OpenTapAsync() => EventTap.OpenAsync(rabbitMq.Port, Worker.VirtualHost);
}
