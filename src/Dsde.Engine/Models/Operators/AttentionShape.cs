using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators;

/// <summary>How one layer attends. Legend: h heads, g kv heads, d head dim.</summary>
/// <param name="HeadCount">Query heads (h).</param>
/// <param name="KvHeadCount">Key and value heads (g).</param>
/// <param name="HeadDim">Width of a head (d).</param>
/// <param name="Scale">Scores are multiplied by it; 1/√d unless the model says otherwise.</param>
/// <param name="Rotary">Rotates queries and keys.</param>
internal sealed record AttentionShape(int HeadCount, int KvHeadCount, int HeadDim, double Scale, RotaryTable Rotary)
{
    /// <summary>RMSNorm of each query head before rotation (Qwen3). <c>[d]</c>; null without one.</summary>
    public Tensor? QueryNorm { get; init; }

    /// <summary>RMSNorm of each key head before rotation. <c>[d]</c>; null without one.</summary>
    public Tensor? KeyNorm { get; init; }

    /// <summary>Added to the mean square in both.</summary>
    public double NormEps { get; init; }

    /// <summary>Scores s become c·tanh(s/c) (Gemma 2); null for plain scores.</summary>
    public double? SoftCap { get; init; }

    /// <summary>Most recent positions attended to, the row's own included; null for all.</summary>
    public int? SlidingWindow { get; init; }
}
