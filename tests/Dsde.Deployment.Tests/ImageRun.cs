using System.Diagnostics;

namespace Dsde.Deployment.Tests;

/// <summary>
/// Runs what an image has as a container would: as its user, in its working folder, from an empty environment with its variables. Other
/// than
/// there are the places of .NET and of the temporary folder.
/// </summary>
/// <param name="build">Made the image.</param>
/// <param name="image">The image.</param>
/// <param name="settings">Variables that are given to the container.</param>
internal sealed class ImageRun(ImageBuild build, BuiltStage image, params (string Name, string Value)[] settings)
{
    /// <summary>Starts a command.</summary>
    public Process Start(params string[] command)
    {
        string[] user = Environment.IsPrivilegedProcess
            ? ["setpriv", $"--reuid={image.User}", $"--regid={image.User}", "--clear-groups", "--inh-caps=-all", "--no-new-privs"]
            : [];
        var variables = ImageBuild
            .BaseEnvironment.Concat(image.Environment)
            .Concat(settings.Select(setting => KeyValuePair.Create(setting.Name, setting.Value)))
            .Append(new("TMPDIR", build.TemporaryFolder))
            .Append(new("DOTNET_ROOT", DotnetFolder()))
            .Select(pair => $"{pair.Key}={pair.Value}");
        string[] line = [.. user, "env", "-i", .. variables, .. command];
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = image.WorkingFolder,
        };
        return Process.Start(start) ?? throw new InvalidOperationException($"{line[0]} could not be started.");
    }

    /// <summary>Runs a command to its end.</summary>
    public async Task<Ended> RunAsync(params string[] command)
    {
        using var process = Start(command);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new Ended(process.ExitCode, await output, await error);
    }

    /// <summary>Above the runtime that the tests run on: shared/Microsoft.NETCore.App/VERSION.</summary>
    private static string DotnetFolder() =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", ".."));
}
