using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Batching;

/// <summary>
/// When the engine's own thread dies nobody is left waiting. Here clearing up after a full device fails: its log can't be written.
/// </summary>
public sealed class BreakdownTests(TestPair models) : IClassFixture<TestPair>
{
    private const int OutOfMemoryEvent = 1002;

    [Fact]
    public async Task Running_waiting_and_later_requests_fail_and_the_engine_can_be_disposed_of()
    {
        var options = new EngineOptions
        {
            Target = models.Target,
            Draft = models.Draft,
            BatchSize = 2,
            DataType = "fp32",
            Device = "cpu",
            Threads = 1,
        };
        using var loggers = new FailingLog();
        await using var engine = GenerationEngine.Load(options, TimeProvider.System, loggers);
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = engine.BrokenDown.Register(told.SetResult);
        var passes = 0;
        engine.Models.Target.BeforePass = _ =>
        {
            if (++passes == 3)
            {
                throw new TorchError("CUDA out of memory.");
            }
        };

        var requests = Prompts(6)
            .Select(prompt => engine.GenerateAsync(Greedy(prompt, 100), TestContext.Current.CancellationToken))
            .ToArray();

        foreach (var request in requests)
        {
            (await Should.ThrowAsync<EngineFailureException>(() => request)).Message.ShouldContain("The disk is full.");
        }

        await told.Task;
        (
            await Should.ThrowAsync<EngineFailureException>(() =>
                engine.GenerateAsync(Greedy([1], 1), TestContext.Current.CancellationToken)
            )
        ).Message.ShouldContain("must be started again");
    }

    private sealed class TorchError(string message) : ExternalException(message);

    private sealed class FailingLog : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

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
            if (eventId.Id == OutOfMemoryEvent)
            {
                throw new IOException("The disk is full.");
            }
        }

        public void Dispose() { }
    }
}
