using System.Collections.Concurrent;
using Dsde.Pipeline.Telemetry;
using Microsoft.Extensions.Logging;

namespace Dsde.EndToEnd.Tests;

/// <summary>Keeps what is logged in this process, with exceptions.</summary>
internal sealed class ListLog : ILoggerProvider, ILogger
{
    private readonly SemaphoreSlim _arrived = new(0);

    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>Waits for a line with a text in it.</summary>
    public async Task WaitForAsync(string text)
    {
        while (!Lines.Any(line => line.Contains(text, StringComparison.Ordinal)))
        {
            (await _arrived.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken)).ShouldBeTrue(
                $"'{text}' was not logged, but:\n{string.Join('\n', Lines)}"
            );
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        Lines.Enqueue($"{formatter(state, exception)} {exception}");
        _arrived.Release();
    }

    public void Dispose() => _arrived.Dispose();
}
