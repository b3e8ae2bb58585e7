using System.Globalization;
using System.Text.RegularExpressions;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// The broker's word that a message is too large (<c>max_message_size</c>). It closes the channel with it, so that everybody who publishes
/// there at the moment gets the same word about a message that may be another's.
/// </summary>
internal static partial class SizeRefusal
{
    /// <summary>The largest body that the broker takes, in bytes; null if the exception says nothing of the kind.</summary>
    public static long? FindLimit(Exception? exception) =>
        exception switch
        {
            null => null,
            OperationInterruptedException { ShutdownReason: { ReplyCode: Constants.PreconditionFailed, ReplyText: var text } }
                when Words().Match(text) is { Success: true } match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture),
            AggregateException many => many.InnerExceptions.Select(FindLimit).FirstOrDefault(limit => limit is not null),
            _ => FindLimit(exception.InnerException),
        };

    [GeneratedRegex(@"message size \d+ (?:is )?larger than (?:configured )?max size (\d{1,15})", RegexOptions.IgnoreCase)]
    private static partial Regex Words();
}
