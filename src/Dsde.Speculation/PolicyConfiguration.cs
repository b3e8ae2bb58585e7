using System.Globalization;

namespace Dsde.Speculation;

/// <summary>Names a policy and its parameters; see <see cref="Parse"/> for the forms.</summary>
public sealed record PolicyConfiguration
{
    private const int MaxConfiguredLength = 64;
    private const string AutoregressiveName = "autoregressive";
    private const string StaticPrefix = "static:";
    private const string AdaEdlName = "adaedl";
    private const string GoodputName = "goodput";
    private const string BatchStopSuffix = "-batchstop";
    private const string DsdeName = "dsde";
    private const string PaperSuffix = "-paper";
    private const string ReferenceSuffix = "-reference";
    private const string NoCapSuffix = "-nocap";
    private const string OnPathSuffix = "-onpath";

    /// <summary>The forms that <see cref="Parse"/> reads, for people.</summary>
    public static readonly string Allowed =
        $"{DsdeName}, {DsdeName}{PaperSuffix} or {DsdeName}{ReferenceSuffix} (after each, in this order, {NoCapSuffix} and "
        + $"{OnPathSuffix}), {GoodputName}, {AdaEdlName} (after it, in this order, {BatchStopSuffix} and :K), "
        + $"{StaticPrefix}K with K from 1 to {MaxConfiguredLength}, or {AutoregressiveName}";

    private PolicyConfiguration() { }

    /// <summary>Plain decoding, without the draft model.</summary>
    public static PolicyConfiguration Autoregressive { get; } = new() { Kind = PolicyKind.Autoregressive };

    /// <summary>Which policy.</summary>
    public PolicyKind Kind { get; private init; }

    /// <summary>Length of the static policy, 1 to 64; 0 for the others.</summary>
    public int StaticLength { get; private init; }

    /// <summary>Most tokens AdaEDL drafts, 1 to 64; its base length for the others.</summary>
    public int AdaEdlLength { get; private init; } = AdaEdlConstants.BaseLength;

    /// <summary>
    /// Whether AdaEDL stops the whole batch when it stops one sequence, as the reference implementation does; false for the others.
    /// </summary>
    public bool StopsWholeBatch { get; private init; }

    /// <summary>Whether the DSDE policy caps lengths by the batch's mean prediction; true for the others.</summary>
    public bool CapEnabled { get; private init; } = true;

    /// <summary>Which KLDs the DSDE policy looks at.</summary>
    public KldScope Scope { get; private init; }

    /// <summary>
    /// Reads <c>dsde</c>, <c>dsde-paper</c>, <c>dsde-reference</c>, each with <c>-nocap</c> and <c>-onpath</c> after it in this order or
    /// without, <c>goodput</c>, <c>adaedl</c>, with <c>-batchstop</c> and <c>:K</c> after it in this order or without, <c>static:K</c> or
    /// <c>autoregressive</c>.
    /// </summary>
    /// <exception cref="FormatException">The text is none of these; the message says what is allowed.</exception>
    public static PolicyConfiguration Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text switch
        {
            AutoregressiveName => Autoregressive,
            GoodputName => new PolicyConfiguration { Kind = PolicyKind.Goodput },
            _ => ParseStatic(text)
                ?? ParseAdaEdl(text)
                ?? ParseDsde(text)
                ?? throw new FormatException($"Policy '{text}' is not known. Use {Allowed}."),
        };
    }

    /// <summary>The form that <see cref="Parse"/> reads.</summary>
    public override string ToString() =>
        Kind switch
        {
            PolicyKind.Autoregressive => AutoregressiveName,
            PolicyKind.Static => StaticPrefix + StaticLength.ToString(CultureInfo.InvariantCulture),
            PolicyKind.Goodput => GoodputName,
            PolicyKind.AdaEdl => AdaEdlName
                + (StopsWholeBatch ? BatchStopSuffix : "")
                + (AdaEdlLength == AdaEdlConstants.BaseLength ? "" : ":" + AdaEdlLength.ToString(CultureInfo.InvariantCulture)),
            _ => DsdeName
                + (
                    Kind == PolicyKind.DsdePaper ? PaperSuffix
                    : Kind == PolicyKind.DsdeReference ? ReferenceSuffix
                    : ""
                )
                + (CapEnabled ? "" : NoCapSuffix)
                + (Scope == KldScope.OnPath ? OnPathSuffix : ""),
        };

    private static PolicyConfiguration? ParseStatic(string text)
    {
        var rest = text.AsSpan();
        return Take(ref rest, StaticPrefix) && ParseLength(rest) is { } length
            ? new PolicyConfiguration { Kind = PolicyKind.Static, StaticLength = length }
            : null;
    }

    private static PolicyConfiguration? ParseAdaEdl(string text)
    {
        var rest = text.AsSpan();
        if (!Take(ref rest, AdaEdlName))
        {
            return null;
        }

        var configuration = new PolicyConfiguration { Kind = PolicyKind.AdaEdl, StopsWholeBatch = Take(ref rest, BatchStopSuffix) };
        if (rest.IsEmpty)
        {
            return configuration;
        }

        return Take(ref rest, ":") && ParseLength(rest) is { } length ? configuration with { AdaEdlLength = length } : null;
    }

    private static int? ParseLength(ReadOnlySpan<char> text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length is >= 1 and <= MaxConfiguredLength
            ? length
            : null;

    private static PolicyConfiguration? ParseDsde(string text)
    {
        var rest = text.AsSpan();
        if (!Take(ref rest, DsdeName))
        {
            return null;
        }

        var configuration = new PolicyConfiguration
        {
            Kind =
                Take(ref rest, PaperSuffix) ? PolicyKind.DsdePaper
                : Take(ref rest, ReferenceSuffix) ? PolicyKind.DsdeReference
                : PolicyKind.Dsde,
            CapEnabled = !Take(ref rest, NoCapSuffix),
            Scope = Take(ref rest, OnPathSuffix) ? KldScope.OnPath : KldScope.AllProposed,
        };
        return rest.IsEmpty ? configuration : null;
    }

    private static bool Take(ref ReadOnlySpan<char> text, string expected)
    {
        var found = text.StartsWith(expected, StringComparison.Ordinal);
        text = found ? text[expected.Length..] : text;
        return found;
    }
}
