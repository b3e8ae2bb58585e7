using Dsde.Analytics;
using Dsde.Batches.Following;
using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline;
using Microsoft.Extensions.Options;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Worker.Cli;

/// <summary>
/// Tells failures that a user can mend, for which the message is enough, from bugs, for which a developer needs the stack.
/// </summary>
internal static class ExpectedFailures
{
    /// <summary>What to tell the user; null for a bug.</summary>
    public static string? Describe(Exception exception) =>
        exception switch
        {
            ExpectedFailureException
            or AnalyticsException
            or JobFileException
            or ModelLoadException
            or DatabaseUnavailableException
            or UnfitDatabaseException => exception.Message,
            OptionsValidationException invalid => string.Join(Environment.NewLine, invalid.Failures),
            OperationInterruptedException refused => $"RabbitMQ refused it: {refused.ShutdownReason?.ReplyText ?? refused.Message}",
            FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException or IOException => exception.Message,
            AggregateException { InnerExceptions: [var only] } => Describe(only),
            _ => null,
        };
}
