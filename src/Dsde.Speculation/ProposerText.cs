namespace Dsde.Speculation;

/// <summary>Proposers as settings, jobs and telemetry name them.</summary>
public static class ProposerText
{
    /// <summary>What <see cref="Parse"/> reads, for people.</summary>
    public const string Allowed = "draft, lookup or both";

    /// <summary>Reads <c>draft</c>, <c>lookup</c> or <c>both</c>.</summary>
    /// <exception cref="FormatException">The text is none of these; the message says what is allowed.</exception>
    public static Proposer Parse(string text) =>
        text switch
        {
            "draft" => Proposer.Draft,
            "lookup" => Proposer.Lookup,
            "both" => Proposer.Both,
            _ => throw new FormatException($"Proposer '{text}' is not known. Use {Allowed}."),
        };

    /// <summary>The form that <see cref="Parse"/> reads.</summary>
    public static string ToText(this Proposer proposer) =>
        proposer switch
        {
            Proposer.Draft => "draft",
            Proposer.Lookup => "lookup",
            _ => "both",
        };
}
