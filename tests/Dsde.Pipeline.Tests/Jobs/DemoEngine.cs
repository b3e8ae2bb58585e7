using Dsde.Engine;
using Dsde.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>The demo pair in deterministic numerics, loaded once for a class of tests.</summary>
public sealed class DemoEngine : IAsyncDisposable
{
    public IGenerationEngine Engine { get; } =
        GenerationEngine.Load(
            new EngineOptions
            {
                Target = Repository.PathOf("models", "dsde-demo-target"),
                Draft = Repository.PathOf("models", "dsde-demo-draft"),
                Numerics = "deterministic",
                Threads = 1,
                MaxLength = 512,
            },
            TimeProvider.System,
            NullLoggerFactory.Instance
        );

    public ValueTask DisposeAsync() => Engine.DisposeAsync();
}
