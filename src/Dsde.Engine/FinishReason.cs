namespace Dsde.Engine;

/// <summary>
/// What ended an output. When several apply to the same token, a stop beats the length, and both beat what was asked for from outside.
/// </summary>
public enum FinishReason
{
    /// <summary>An end-of-text token or a stop string.</summary>
    Stop,

    /// <summary>The request's token limit or the model's context.</summary>
    Length,

    /// <summary><see cref="GenerationControl.Cancel"/>; the output is what there was.</summary>
    Cancelled,

    /// <summary><see cref="GenerationRequest.ExpiresAt"/>; the output is what there was.</summary>
    Expired,

    /// <summary><see cref="GenerationControl.Suspend"/>; <see cref="GenerationResult.Checkpoint"/> continues it.</summary>
    Suspended,
}
