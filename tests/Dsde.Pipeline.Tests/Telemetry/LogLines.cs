using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Dsde.Pipeline.Tests.Telemetry;

/// <summary>Keeps what is logged.</summary>
internal sealed class LogLines
{
    public ConcurrentQueue<(int Id, string Text)> Lines { get; } = new();

    public ILogger<T> For<T>() => new Logger<T>(Lines);

    private sealed class Logger<T>(ConcurrentQueue<(int, string)> lines) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => lines.Enqueue((eventId.Id, formatter(state, exception)));
    }
}
