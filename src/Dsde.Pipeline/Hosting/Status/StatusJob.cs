namespace Dsde.Pipeline.Hosting.Status;

/// <summary>A job that the worker has claimed.</summary>
/// <param name="Id">The job.</param>
/// <param name="Since">When it was claimed.</param>
/// <param name="IsCancelRequested">Whether it is to end with what there is.</param>
/// <param name="OutputCount">Its outputs; none until the engine has them.</param>
/// <param name="Outputs">Of these the first.</param>
internal sealed record StatusJob(
    Guid Id,
    DateTimeOffset Since,
    bool IsCancelRequested,
    int OutputCount,
    IReadOnlyList<StatusOutput> Outputs
);

/// <summary>How far an output is.</summary>
/// <param name="Phase"><c>waiting</c>, <c>prefill</c>, <c>decoding</c> or <c>ended</c>.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="Tokens">Tokens so far.</param>
/// <param name="MostTokens">Tokens that it may have.</param>
/// <param name="Proposed">Tokens proposed so far.</param>
/// <param name="Accepted">Of these, accepted and kept.</param>
/// <param name="Length">Tokens proposed in the latest iteration; null before the first.</param>
internal sealed record StatusOutput(string Phase, int PromptTokens, int Tokens, int MostTokens, int Proposed, int Accepted, int? Length);
