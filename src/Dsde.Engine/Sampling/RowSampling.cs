using Dsde.Grammars.Tokens;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>All that decides how tokens are chosen at some rows, besides their logits.</summary>
/// <param name="Parameters">Of the n rows.</param>
/// <param name="Noise">Coupled mode's noise; null if no row is coupled.</param>
/// <param name="History">Tokens before each row.</param>
internal readonly record struct RowSampling(SamplingRows Parameters, RowNoise? Noise, HistoryRows History)
{
    /// <summary>The tokens that grammars allow at each row, null for all; null if no row has a grammar.</summary>
    public IReadOnlyList<TokenSet?>? Allowed { get; init; }

    /// <summary>What is allowed at some rows, as <see cref="Allowed"/> has it.</summary>
    public static IReadOnlyList<TokenSet?>? AllowedOf(IEnumerable<TokenSet?> rows) =>
        rows.ToArray() is var all && Array.Exists(all, row => row is not null) ? all : null;

    /// <summary>Of the next token of some sequences, in the caller's scope.</summary>
    /// <param name="sequences">Parameters, tokens so far, the position of the next one, and what a grammar allows there, null for
    /// all.</param>
    /// <param name="vocabularySize">Tokens in the vocabulary (V).</param>
    /// <param name="device">Where the tensors go.</param>
    public static RowSampling ForNextTokens(
        IReadOnlyList<(SamplingParameters Parameters, TokenHistory History, int Position, TokenSet? Allowed)> sequences,
        int vocabularySize,
        Device device
    )
    {
        var keys = sequences.Select(sequence => NoiseKeyOf(sequence.Parameters, sequence.Position)).ToArray();
        return new RowSampling(
            SamplingRows.Create([.. sequences.Select(sequence => sequence.Parameters)], vocabularySize, device),
            RowNoise.Create(keys, vocabularySize, device),
            HistoryRows.Create([.. sequences.Select(sequence => sequence.History)], vocabularySize, device)
        )
        {
            Allowed = AllowedOf(sequences.Select(sequence => sequence.Allowed)),
        };
    }

    /// <summary>Key of the noise at a position; null unless the mode is coupled.</summary>
    public static NoiseKey? NoiseKeyOf(SamplingParameters parameters, int position) =>
        parameters.EffectiveMode == SamplingMode.Coupled ? NoiseKey.Of(parameters.Seed, position) : null;
}
