using Dsde.Engine;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.EndToEnd.Tests.Hosting;

/// <summary>The demo engine, whose thread never comes back from its first job: whoever asks it for anything then waits for ever.</summary>
internal sealed class HangingEngine : IGenerationEngine
{
    private readonly GenerationEngine _engine = GenerationEngine.Load(
        new EngineOptions
        {
            Target = Dsde.Testing.Repository.PathOf("models", "dsde-demo-target"),
            Draft = Dsde.Testing.Repository.PathOf("models", "dsde-demo-draft"),
            DataType = "fp32",
            Threads = 1,
        },
        TimeProvider.System,
        NullLoggerFactory.Instance
    );

    private readonly TaskCompletionSource<GenerationResult> _never = new();
    private readonly TaskCompletionSource _release = new();
    private long _hangsSince;
    private int _requests;

    /// <summary>Jobs that wait for it.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public EngineDescription Description => _engine.Description;

    public IPromptEncoder PromptEncoder => _engine.PromptEncoder;

    public CancellationToken BrokenDown => _engine.BrokenDown;

    public EngineSnapshot GetSnapshot() =>
        _engine.GetSnapshot() with
        {
            Running = Requests,
            HasWork = Requests > 0,
            SinceAdvance = Requests > 0 ? TimeProvider.System.GetElapsedTime(Interlocked.Read(ref _hangsSince)) : TimeSpan.Zero,
        };

    public Task<GenerationResult> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _requests) == 1)
        {
            Interlocked.Exchange(ref _hangsSince, TimeProvider.System.GetTimestamp());
        }

        return _never.Task;
    }

    /// <summary>Lets the test's process end.</summary>
    public async Task ReleaseAsync()
    {
        _never.TrySetCanceled();
        _release.TrySetResult();
        await _engine.DisposeAsync();
    }

    public async ValueTask DisposeAsync() => await _release.Task; // as a thread would that hangs
}
