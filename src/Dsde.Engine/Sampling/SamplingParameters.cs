namespace Dsde.Engine.Sampling;

/// <summary>How a request's tokens are drawn.</summary>
public sealed record SamplingParameters
{
    /// <summary>
    /// Temperatures below it are greedy. Nearer to 0, differences of logits outgrow what noise in single precision can tell apart.
    /// </summary>
    public const float SmallestTemperature = 1e-5f;

    /// <summary>Range of <see cref="RepetitionPenalty"/>: logits stay numbers, whatever is done to them after.</summary>
    public const float SmallestRepetitionPenalty = 0.01f;

    /// <summary>As above.</summary>
    public const float LargestRepetitionPenalty = 100f;

    private static readonly IReadOnlyDictionary<int, float> NoBias = new Dictionary<int, float>();

    /// <summary>0 to 2. Logits are divided by it; below <see cref="SmallestTemperature"/> it is greedy.</summary>
    public float Temperature { get; init; } = 1f;

    /// <summary>The smallest set of most probable tokens with at least this mass is kept. Above 0 to 1; 1 keeps all.</summary>
    public float TopP { get; init; } = 1f;

    /// <summary>This many most probable tokens are kept; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>
    /// Tokens at least this fraction as probable as the most probable one are kept, after top-k and top-p; 0 keeps all. 0 to 1.
    /// </summary>
    public float MinP { get; init; }

    /// <summary>
    /// Logits of tokens in the prompt or output are divided by it where positive and multiplied where negative; 1 is off. 0.01 to 100.
    /// </summary>
    public float RepetitionPenalty { get; init; } = 1f;

    /// <summary>Subtracted from the logit of every token in the output; 0 is off. −2 to 2.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Subtracted from a token's logit once per occurrence in the output; 0 is off. −2 to 2.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Added to the logits of some tokens, by id. Values −100 to 100.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = NoBias;

    /// <summary>
    /// How proposals are accepted when the temperature is above 0: <see cref="SamplingMode.Rejection"/> or
    /// <see cref="SamplingMode.Coupled"/>; null for the engine's default (<see cref="EngineOptions.Sampling"/>).
    /// </summary>
    public SamplingMode? Mode { get; init; }

    /// <summary>Key of the request's random draws. Equal seeds draw equal numbers at equal positions.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whether the most probable token is always taken.</summary>
    public bool IsGreedy => Temperature < SmallestTemperature;

    /// <summary>
    /// Whether proposals are accepted with the probability β = Σ min(p, q) of the raw distributions: rejection sampling that changes
    /// neither.
    /// </summary>
    internal bool BetaIsTheChance =>
        this
            is {
                IsGreedy: false,
                Mode: SamplingMode.Rejection,
                Temperature: 1,
                TopK: 0,
                TopP: 1,
                MinP: 0,
                RepetitionPenalty: 1,
                PresencePenalty: 0,
                FrequencyPenalty: 0,
                LogitBias.Count: 0
            };

    /// <summary>The mode that is used. The engine has filled in its default by then.</summary>
    internal SamplingMode EffectiveMode =>
        IsGreedy ? SamplingMode.Greedy : Mode ?? throw new InvalidOperationException("The sampling mode has not been decided.");
}
