namespace Dsde.Engine;

/// <summary>What an engine is doing for a request.</summary>
public enum GenerationPhase
{
    /// <summary>Nothing yet, or nothing at the moment: it waits for a slot.</summary>
    Waiting = 0,

    /// <summary>Its prompt, or what it goes on from, is worked through.</summary>
    Prefill = 1,

    /// <summary>It takes part in iterations.</summary>
    Decoding = 2,

    /// <summary>Nothing any more: it has ended.</summary>
    Ended = 3,
}
