using Dsde.Pipeline.Hosting.Settings;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Dsde.Pipeline.Telemetry;

/// <summary>Logs to the console, as <c>Logging</c> says: levels and formatter as in any .NET program.</summary>
internal static class LoggingSetup
{
    private const string Section = "Logging";
    private const string Levels = "LogLevel";
    private const string FormatterKey = "Logging:Console:FormatterName";
    private const string TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";

    private static readonly string[] Formatters = [ConsoleFormatterNames.Simple, ConsoleFormatterNames.Json, ConsoleFormatterNames.Systemd];

    /// <summary>
    /// The console, with one line per entry and times in UTC. What a library says of an outage, with its stack, is left out unless its
    /// category is given a level: it is thrown as well, and logged once by whoever knows what it means.
    /// </summary>
    public static void AddDsdeLogging(this ILoggingBuilder logging, IConfiguration configuration)
    {
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.FormatterName = ConsoleFormatterNames.Simple);
        logging.Services.Configure<SimpleConsoleFormatterOptions>(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = TimestampFormat + " ";
            console.UseUtcTimestamp = true;
        });
        logging.Services.Configure<JsonConsoleFormatterOptions>(console =>
        {
            console.TimestampFormat = TimestampFormat;
            console.UseUtcTimestamp = true;
        });
        logging
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.EntityFrameworkCore", LogLevel.None)
            .AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None)
            .AddFilter("Npgsql", LogLevel.None)
            .AddFilter("MassTransit", LogLevel.None)
            .AddConfiguration(configuration.GetSection(Section)) // below, what it says replaces the filters above
            .AddConsole();
    }

    /// <summary>Looks at what .NET would ignore, or answer with an exception of its own.</summary>
    /// <exception cref="OptionsValidationException">A level or the formatter is none.</exception>
    public static void Check(IConfigurationRoot configuration)
    {
        var origins = new SettingOrigins(configuration);
        var mistakes = FindLevels(configuration.GetSection(Section))
            .Where(level => !Enum.TryParse<LogLevel>(level.Value, ignoreCase: true, out _))
            .Select(level => $"{level.Path} is '{level.Value}'{origins.Of(level)}; give {string.Join(", ", Enum.GetNames<LogLevel>())}.")
            .ToList();
        if (configuration[FormatterKey] is { } formatter && !Formatters.Contains(formatter, StringComparer.OrdinalIgnoreCase))
        {
            var section = configuration.GetSection(FormatterKey);
            mistakes.Add($"{FormatterKey} is '{formatter}'{origins.Of(section)}; give {string.Join(", ", Formatters)}.");
        }

        if (mistakes.Count > 0)
        {
            throw new OptionsValidationException(Section, typeof(LoggerFilterOptions), mistakes);
        }
    }

    private static IEnumerable<IConfigurationSection> FindLevels(IConfigurationSection section) =>
        section
            .GetChildren()
            .SelectMany(child => child.Key.Equals(Levels, StringComparison.OrdinalIgnoreCase) ? child.GetChildren() : FindLevels(child));
}
