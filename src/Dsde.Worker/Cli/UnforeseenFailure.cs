using System.Diagnostics;
using Dsde.Pipeline.Telemetry;
using Microsoft.Extensions.Options;

namespace Dsde.Worker.Cli;

/// <summary>What becomes of an exception that nobody has foreseen: a line for the user, and all of it for the log.</summary>
internal static class UnforeseenFailure
{
    /// <summary>One line that says what to report.</summary>
    public static string Describe(Exception exception)
    {
        var at = new StackTrace(exception)
            .GetFrames()
            .Select(frame => frame.GetMethod())
            .FirstOrDefault(method => method?.DeclaringType?.FullName?.StartsWith("Dsde.", StringComparison.Ordinal) == true);
        var place = at is null ? "" : $" in {at.DeclaringType?.Name}.{at.Name}";
        return $"This should not have happened, please report it: {exception.GetType().Name}{place}: {OneLine(exception.Message)} "
            + "Set Logging__LogLevel__Default=Debug for the whole of it.";
    }

    /// <summary>Logs it with its stack: a service's always, another verb's at level debug.</summary>
    public static void Log(Exception exception, bool isService)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        try
        {
            configuration = new ProgramSettings().Configuration;
        }
        catch (Exception invalid) when (invalid is OptionsValidationException || ExpectedFailures.Describe(invalid) is not null)
        {
            // The environment alone has to do.
        }

        using var loggers = LoggerFactory.Create(logging => logging.AddDsdeLogging(configuration));
        var logger = loggers.CreateLogger(typeof(DsdeCommandLine));
        if (isService || logger.IsEnabled(LogLevel.Debug))
        {
            logger.Unforeseen(exception);
        }
    }

    private static string OneLine(string text) => string.Join(' ', text.Split('\n', StringSplitOptions.TrimEntries));
}
