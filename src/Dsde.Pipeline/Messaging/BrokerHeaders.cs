namespace Dsde.Pipeline.Messaging;

/// <summary>Headers that the broker adds to a message on its way; a copy that is sent on must not have them.</summary>
internal static class BrokerHeaders
{
    private static readonly string[] Prefixes = ["x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count"];

    /// <summary>Whether a header is the broker's.</summary>
    public static bool Contains(string name) => Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}
