using Dsde.Engine;
using Dsde.Speculation;

namespace Dsde.Benchmarks;

/// <summary>What is compared with others: a policy, and who proposes for it.</summary>
/// <param name="Policy">The policy.</param>
/// <param name="Proposer">Who proposes; null for the engine's default.</param>
internal sealed record ComparedPolicy(PolicyConfiguration Policy, Proposer? Proposer = null)
{
    /// <summary>What <see cref="Parse"/> reads, for people.</summary>
    public static readonly string Allowed =
        $"{PolicyConfiguration.Allowed}; before it {ProposerText.Allowed} and a slash, as in lookup/dsde";

    /// <summary>Reads a policy, or a proposer and a policy as in <c>lookup/dsde</c>.</summary>
    /// <exception cref="FormatException">The text is none of these; the message says what is allowed.</exception>
    public static ComparedPolicy Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash < 0
            ? new ComparedPolicy(PolicyConfiguration.Parse(text))
            : new ComparedPolicy(PolicyConfiguration.Parse(text[(slash + 1)..]), ProposerText.Parse(text[..slash]));
    }

    /// <summary>A request under it.</summary>
    public GenerationRequest Apply(GenerationRequest request) => request with { Policy = Policy, Proposer = Proposer };

    /// <summary>The form that <see cref="Parse"/> reads.</summary>
    public override string ToString() => Proposer is { } proposer ? $"{proposer.ToText()}/{Policy}" : Policy.ToString();
}
