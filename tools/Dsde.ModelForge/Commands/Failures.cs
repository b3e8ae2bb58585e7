using System.CommandLine;
using Dsde.Engine;
using Dsde.ModelForge.Padding;

namespace Dsde.ModelForge.Commands;

/// <summary>Makes exit codes of what goes wrong; a user can mend these, so the message is enough.</summary>
internal static class Failures
{
    private const int SetupError = 2;

    public static int Report(ParseResult result, Action action)
    {
        try
        {
            action();
            return 0;
        }
        catch (Exception exception) when (exception is PaddingException or ModelLoadException or IOException or UnauthorizedAccessException)
        {
            result.InvocationConfiguration.Error.WriteLine($"modelforge: {exception.Message}");
            return SetupError;
        }
    }
}
