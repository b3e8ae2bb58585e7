using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Interop;

/// <summary>
/// Dsde.Contracts as a package in a feed of its own, and samples/dotnet built from it as a stranger would: its packages come from that
/// feed,
/// and those of others from what this machine has fetched before.
/// </summary>
public sealed class ContractsPackage : IAsyncLifetime
{
    private readonly ScratchFolder _folder = new("package");

    /// <summary>The package.</summary>
    public string File => Directory.GetFiles(Feed, "*.nupkg").ShouldHaveSingleItem();

    /// <summary>The sample's program, once it is built.</summary>
    public string Program => Path.Combine(Sample, "out", "DsdeClient.dll");

    /// <summary>What building it said.</summary>
    internal DsdeProgram.Ended? Built { get; private set; }

    private string Feed => _folder.PathOf("feed");

    private string Sample => _folder.PathOf("sample");

    /// <summary>Where NuGet keeps packages for all programs of this machine.</summary>
    private static string Cache =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    public async ValueTask InitializeAsync()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name.StartsWith("debug", StringComparison.Ordinal)
            ? "Debug"
            : "Release";
        await RunAsync(
            Repository.Root,
            $"dotnet pack src/Dsde.Contracts --configuration {configuration} --no-build --output '{Feed}' --nologo --verbosity quiet"
        );
        Directory.CreateDirectory(Sample);
        foreach (var file in Directory.GetFiles(Repository.PathOf("samples", "dotnet")))
        {
            System.IO.File.Copy(file, Path.Combine(Sample, Path.GetFileName(file)));
        }

        await System.IO.File.WriteAllTextAsync(
            Path.Combine(Sample, "NuGet.config"),
            $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{_folder.PathOf("packages")}" /></config>
              <packageSources><clear /><add key="feed" value="{Feed}" /></packageSources>
              <fallbackPackageFolders><clear /><add key="cache" value="{Cache}" /></fallbackPackageFolders>
            </configuration>
            """
        );
        await System.IO.File.WriteAllTextAsync(
            Path.Combine(Sample, "Snippet.cs"),
            $$"""
            using Dsde.Contracts;
            using MassTransit;

            internal static class Snippet
            {
                public static async Task RunAsync(IBus bus)
                {
            {{Snippet()}}
                }
            }
            """
        );
        Built = await RunAsync(Sample, "dotnet build --configuration Release --output out --nologo");
    }

    public ValueTask DisposeAsync() => _folder.DisposeAsync();

    /// <summary>The example of the package's README.</summary>
    private static string Snippet()
    {
        var readme = System.IO.File.ReadAllText(Repository.PathOf("src", "Dsde.Contracts", "README.md"));
        var start = readme.IndexOf("```csharp\n", StringComparison.Ordinal) + "```csharp\n".Length;
        return readme[start..readme.IndexOf("```", start, StringComparison.Ordinal)];
    }

    private async Task<DsdeProgram.Ended> RunAsync(string folder, string command)
    {
        var ended = await DsdeProgram.RunTypedAsync(
            [
                ("MSBUILDDISABLENODEREUSE", "1"), // nothing is to stay behind
                ("UseSharedCompilation", "false"),
                ("DOTNET_CLI_USE_MSBUILD_SERVER", "0"),
                ("NUGET_SCRATCH", _folder.PathOf("locks")),
                ("TMPDIR", Directory.CreateDirectory(_folder.PathOf("temporary")).FullName),
            ],
            $"cd '{folder}' && {command}"
        );
        ended.ExitCode.ShouldBe(0, ended.Output + ended.Error);
        return ended;
    }
}
