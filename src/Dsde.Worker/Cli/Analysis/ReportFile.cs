using Dsde.Pipeline;

namespace Dsde.Worker.Cli.Analysis;

/// <summary>The file of a report.</summary>
internal static class ReportFile
{
    /// <summary>What it is called where nobody says.</summary>
    public const string Name = "report.html";

    /// <summary>Writes it.</summary>
    /// <exception cref="ExpectedFailureException">The file can't be written.</exception>
    public static async Task WriteAsync(string file, string text, CancellationToken cancellationToken)
    {
        try
        {
            await File.WriteAllTextAsync(file, text, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ExpectedFailureException($"{file} can't be written: {exception.Message} Give another file with --out.", exception);
        }
    }
}
