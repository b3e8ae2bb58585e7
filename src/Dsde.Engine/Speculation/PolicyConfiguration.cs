using System.Globalization;

namespace Dsde.Engine.Speculation;

/// <summary>Names a policy and its parameters; see <see cref="Parse"/> for the forms.</summary>
/// <param name="StaticLength">Length of the static policy, 1 to 64; 0 for autoregressive decoding.</param>
public sealed record PolicyConfiguration(int StaticLength)
{
    private const int MaxStaticLength = 64;
    private const string Autoregressive = "autoregressive";
    private const string StaticPrefix = "static:";

    /// <summary>Reads <c>static:K</c> or <c>autoregressive</c>.</summary>
    /// <exception cref="FormatException">The text is neither; the message says what is allowed.</exception>
    public static PolicyConfiguration Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text == Autoregressive)
        {
            return new PolicyConfiguration(0);
        }

        return text.StartsWith(StaticPrefix, StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(StaticPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            && length is >= 1 and <= MaxStaticLength
            ? new PolicyConfiguration(length)
            : throw new FormatException($"Policy '{text}' is not known. Use static:K with K from 1 to {MaxStaticLength}, or autoregressive.");
    }

    /// <summary>The form that <see cref="Parse"/> reads.</summary>
    public override string ToString() => StaticLength == 0 ? Autoregressive : StaticPrefix + StaticLength.ToString(CultureInfo.InvariantCulture);
}
