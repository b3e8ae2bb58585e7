namespace Dsde.Engine;

/// <summary>What ended an output. When several apply to the same token, a stop beats the length.</summary>
public enum FinishReason
{
    /// <summary>An end-of-text token or a stop string.</summary>
    Stop,

    /// <summary>The request's token limit or the model's context.</summary>
    Length,
}
