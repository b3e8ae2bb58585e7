using System.Globalization;
using Dsde.Persistence;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Resilience;

namespace Dsde.Worker.Cli.Clients;

/// <summary>
/// Waits for a server up to a limit, with a line when that begins and one when it is over. What waiting can't mend is not waited for: a
/// refusal, and a host that nobody knows unless it has answered before.
/// </summary>
/// <param name="server">What to call it.</param>
/// <param name="limit">How long one absence may take.</param>
/// <param name="time">The clock.</param>
/// <param name="error">Where the lines go.</param>
internal sealed class LimitedPatience(string server, TimeSpan limit, TimeProvider time, TextWriter error)
    : ServerPatience(
        time,
        reason =>
        {
            if (limit > TimeSpan.Zero)
            {
                error.WriteLine($"dsde: {reason} Waiting for it, at most {Describe(limit)} (--patience).");
            }
        },
        seconds => error.WriteLine($"dsde: {server} is back after {Describe(TimeSpan.FromSeconds(seconds))}."),
        limit
    )
{
    /// <summary>For example: 300 s, 0.4 s.</summary>
    public static string Describe(TimeSpan span) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Round(span.TotalSeconds, span.TotalSeconds < 10 ? 1 : 0)} s");

    /// <inheritdoc/>
    protected override bool IsPassing(Exception exception) =>
        exception is DatabaseUnavailableException { IsRefusal: false } or BrokerUnavailableException
        && (HasAnswered || !UnknownHost.IsCauseOf(exception));
}
