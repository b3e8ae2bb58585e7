using System.Text.Json;
using System.Text.RegularExpressions;
using Dsde.Testing;

namespace Dsde.Deployment.Tests;

/// <summary>What the Dockerfile copies is what its commands need, and its bases are what the tests ran on.</summary>
public sealed partial class ImageTests
{
    [Fact]
    public void Packages_are_restored_from_project_files_alone_so_that_changed_sources_restore_nothing_again()
    {
        var instructions = Image.Stages[0].Instructions.ToList();
        var restore = instructions.FindIndex(instruction =>
            instruction.Name == "RUN" && instruction.Arguments is ["dotnet", "restore", ..]
        );

        instructions[..restore]
            .Where(instruction => instruction.Name == "COPY")
            .SelectMany(instruction => instruction.Arguments[..^1])
            .Where(source => source != "--parents")
            .ShouldAllBe(source => Regex.IsMatch(source, @"\.(csproj|props|targets|json|config)$"));
    }

    [Fact]
    public void Everything_that_is_copied_is_there_and_not_ignored()
    {
        var ignored = File.ReadAllLines(Repository.PathOf(".dockerignore"));
        var sources = Image
            .Instructions.Where(instruction =>
                instruction.Name == "COPY" && !instruction.Arguments[0].StartsWith("--from", StringComparison.Ordinal)
            )
            .SelectMany(instruction => instruction.Arguments[..^1])
            .Where(source => !source.StartsWith("--", StringComparison.Ordinal))
            .ToList();

        sources.ShouldContain("src/");
        foreach (var source in sources)
        {
            var path = source.Split('*')[0].TrimEnd('/');
            (File.Exists(Repository.PathOf(path)) || Directory.Exists(Repository.PathOf(path))).ShouldBeTrue(source);
            ignored.ShouldNotContain(path.Split('/')[0]);
        }
    }

    [Fact]
    public void Every_base_is_pinned_to_a_version()
    {
        var bases = Image
            .Bases.Concat(Compose.Services.Select(service => service.Node.Text("image")).Where(image => image != "dsde"))
            .ToList();

        bases.Count.ShouldBe(6);
        bases.ShouldAllBe(image => PinnedTag().IsMatch(image));
    }

    [Fact]
    public void It_builds_with_an_SDK_that_global_json_takes_and_runs_on_the_version_of_the_runtime_that_the_tests_run_on()
    {
        using var settings = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("global.json")));
        var least = System.Version.Parse(settings.RootElement.GetProperty("sdk").GetProperty("version").GetString()!);

        var (sdk, runtime) = (Version(Image.Bases.First(), "sdk"), Version(Image.Bases.Last(), "aspnet"));

        sdk.ShouldBeGreaterThanOrEqualTo(least);
        sdk.ToString(2).ShouldBe(least.ToString(2));
        runtime.ToString(2).ShouldBe(Environment.Version.ToString(2));
    }

    private static Version Version(string image, string name) =>
        System.Version.Parse(Regex.Match(image, $"^mcr.microsoft.com/dotnet/{name}:([0-9.]+)-").Groups[1].Value);

    [GeneratedRegex(@":v?\d+\.\d+(\.\d+)?(-[a-z]+)?$")]
    private static partial Regex PinnedTag();
}
