namespace Dsde.Engine.Sampling;

/// <summary>How proposals are accepted (ALGORITHM: lossless acceptance).</summary>
public enum SamplingMode
{
    /// <summary>Temperature 0: accept while the proposal is the target's most probable token.</summary>
    Greedy,

    /// <summary>Speculative sampling with the ratio test (Leviathan et al. 2023; Chen et al. 2023).</summary>
    Rejection,
}
