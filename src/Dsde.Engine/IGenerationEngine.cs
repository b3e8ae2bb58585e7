namespace Dsde.Engine;

/// <summary>
/// Generates text for many requests at once. Requests join and leave the running batch between iterations, so callers simply ask for what
/// they need, concurrently, and await it.
/// </summary>
public interface IGenerationEngine : IAsyncDisposable
{
    /// <summary>What is loaded and how much of it runs at once.</summary>
    EngineDescription Description { get; }

    /// <summary>Makes prompts into the token ids that <see cref="GenerateAsync"/> takes.</summary>
    IPromptEncoder PromptEncoder { get; }

    /// <summary>
    /// Cancelled when the engine has broken down, so that no request can succeed any more: it has to be disposed of and loaded again.
    /// </summary>
    CancellationToken BrokenDown { get; }

    /// <summary>Counts since the start, and what is running now. Cheap; any thread.</summary>
    EngineSnapshot GetSnapshot();

    /// <summary>Runs one request to its end.</summary>
    /// <param name="request">Checked at once; see the exceptions.</param>
    /// <param name="cancellationToken">Ends the request between two iterations.</param>
    /// <exception cref="ArgumentException">The request can never run: see <see cref="GenerationRequest"/> for what is allowed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the engine was shut down first.</exception>
    /// <exception cref="EngineFailureException">The engine failed while the request ran, or has broken down.</exception>
    Task<GenerationResult> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken);
}
