namespace Dsde.Engine.Sampling;

/// <summary>How a request's tokens are drawn.</summary>
public sealed record SamplingParameters
{
    /// <summary>0 is greedy; otherwise logits are divided by it. 0 to 2.</summary>
    public float Temperature { get; init; } = 1f;

    /// <summary>The smallest set of most probable tokens with at least this mass is kept. Above 0 to 1; 1 keeps all.</summary>
    public float TopP { get; init; } = 1f;

    /// <summary>This many most probable tokens are kept; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Key of the request's random draws. Equal seeds draw equal numbers at equal positions.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whether the most probable token is always taken.</summary>
    public bool IsGreedy => Temperature == 0f;
}
