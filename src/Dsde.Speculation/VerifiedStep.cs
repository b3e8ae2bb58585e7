namespace Dsde.Speculation;

/// <summary>Measurements of one sequence's verified proposals, oldest first.</summary>
public readonly ref struct VerifiedStep
{
    /// <summary>Tokens accepted, 0 to the number proposed.</summary>
    public required int Accepted { get; init; }

    /// <summary>KL divergence at each proposed token, in nats. <c>[k]</c></summary>
    public required ReadOnlySpan<float> Kld { get; init; }

    /// <summary>Expected acceptance at each proposed token. <c>[k]</c></summary>
    public required ReadOnlySpan<float> Beta { get; init; }

    /// <summary>Draft entropy at each proposed token, in nats. <c>[k]</c></summary>
    public required ReadOnlySpan<float> DraftEntropy { get; init; }

    /// <summary>The sequence's sampling temperature; 0 is greedy.</summary>
    public required float Temperature { get; init; }

    /// <summary>Tokens proposed (k).</summary>
    public int Proposed => Kld.Length;
}
