using Dsde.Engine;
using Dsde.Engine.Sampling;
using Dsde.Speculation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.PeerBench;

/// <summary>This engine: greedy decoding of several sequences at once.</summary>
internal sealed class EngineDecoder(EngineOptions options) : IAsyncDisposable
{
    private readonly GenerationEngine _engine = GenerationEngine.Load(options, TimeProvider.System, NullLoggerFactory.Instance);

    /// <summary>What multiplies.</summary>
    public string Kernels => _engine.Description.Kernels ?? _engine.Description.Device;

    /// <summary>The most probable tokens behind each prompt.</summary>
    /// <param name="prompts">Token ids.</param>
    /// <param name="tokens">How many.</param>
    /// <param name="policy">What chooses the speculation length.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyList<IReadOnlyList<int>>> DecodeAsync(
        IReadOnlyList<IReadOnlyList<int>> prompts,
        int tokens,
        string policy,
        CancellationToken cancellationToken
    )
    {
        var requests = prompts.Select(prompt => new GenerationRequest
        {
            PromptTokenIds = prompt,
            MaxTokens = tokens,
            IgnoreEos = true,
            Sampling = new SamplingParameters { Temperature = 0 },
            Policy = PolicyConfiguration.Parse(policy),
        });
        var results = await Task.WhenAll(requests.Select(request => _engine.GenerateAsync(request, cancellationToken)));
        return [.. results.Select(result => result.TokenIds)];
    }

    /// <summary>Ids of a text.</summary>
    public IReadOnlyList<int> Encode(string text) => _engine.PromptEncoder.Encode(text);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _engine.DisposeAsync();
}
