namespace Dsde.Engine.Sampling;

/// <summary>How proposals are accepted; the output is the target's in every mode.</summary>
public enum SamplingMode
{
    /// <summary>Temperature 0: accept while the proposal is the target's most probable token.</summary>
    Greedy,

    /// <summary>Speculative sampling with the ratio test (Leviathan et al. 2023; Chen et al. 2023).</summary>
    Rejection,

    /// <summary>
    /// Target and draft sample with the same noise, keyed by (seed, position), and a proposal is accepted if it equals the target's own
    /// sample (Daliri et al. 2024): a seed's text is the same under every policy, draft and batch.
    /// </summary>
    Coupled,
}
