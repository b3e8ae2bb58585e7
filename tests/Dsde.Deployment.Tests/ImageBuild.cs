using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dsde.Testing;

namespace Dsde.Deployment.Tests;

/// <summary>
/// Makes of the Dockerfile what docker would, without a container engine: each instruction is carried out as it is written, in folders that
/// stand for the roots of the stages; but for compiling the program once more (<see cref="IsBuilt"/>). What base images have is what is
/// installed here: the SDK, the runtime.
/// </summary>
internal sealed partial class ImageBuild : IDisposable
{
    private readonly ScratchFolder _folder = new("image");
    private readonly Dictionary<string, BuiltStage> _stages = [];

    /// <summary>Variables of Microsoft's images. Who is not root can't give files away, and is the program's user itself.</summary>
    public static IReadOnlyDictionary<string, string> BaseEnvironment { get; } =
        new Dictionary<string, string>
        {
            ["APP_UID"] = Environment.IsPrivilegedProcess ? "1654" : OwnId(),
            ["HOME"] = "/home/app",
            ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        };

    /// <summary>
    /// Whether the program is published as it was built with the tests: compiling it once more, from what the Dockerfile copies, takes
    /// minutes (DSDE_SLOW_TESTS=1).
    /// </summary>
    public static bool IsBuilt { get; } =
        Environment.GetEnvironmentVariable("DSDE_SLOW_TESTS") != "1"
        && AppContext.BaseDirectory.Contains("/release", StringComparison.Ordinal);

    /// <summary>A folder that everybody may write to: the image's only one, in memory.</summary>
    public string TemporaryFolder => _folder.PathOf("tmp");

    /// <summary>A folder beside the image, for what is mounted.</summary>
    public string PathOf(string name) => _folder.PathOf(name);

    /// <summary>Makes a stage and those that it takes.</summary>
    public async Task<BuiltStage> MakeAsync(string name)
    {
        if (_stages.TryGetValue(name, out var made))
        {
            return made;
        }

        var stage = Image.Stages.Single(stage => stage.Name == name);
        var root = _folder.PathOf(name);
        if (Image.Stages.Any(other => other.Name == stage.Base))
        {
            var begin = await MakeAsync(stage.Base);
            await RunAsync(["cp", "-al", begin.Root, root]);
            made = begin.Continue(root);
        }
        else
        {
            made = new BuiltStage(Directory.CreateDirectory(root).FullName);
        }

        foreach (var (instruction, arguments) in stage.Instructions)
        {
            await CarryOutAsync(made, instruction, arguments);
        }

        return _stages[name] = made;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The compiler's server, which listens in the temporary folder and would wait for more to compile.
        Run("dotnet", "build-server", "shutdown", "--vbcscompiler");
        // Who is not root can't remove what is in folders that he may not write to.
        Run("chmod", "-R", "u+w", _folder.Path);
        _folder.Dispose();
    }

    private void Run(string program, params string[] arguments)
    {
        Directory.CreateDirectory(TemporaryFolder);
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true };
        start.Environment["TMPDIR"] = TemporaryFolder;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} could not be started.");
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
    }

    private async Task CarryOutAsync(BuiltStage stage, string instruction, string[] arguments)
    {
        var text = string.Join(' ', arguments);
        switch (instruction)
        {
            case "ARG":
                stage.Arguments[text.Split('=')[0]] = text.Split('=', 2)[1];
                break;
            case "ENV":
                foreach (var variable in arguments)
                {
                    stage.Set(variable.Split('=')[0], variable.Split('=', 2)[1]);
                }

                break;
            case "LABEL":
                foreach (Match label in Label().Matches(stage.Expand(text)))
                {
                    stage.Labels[label.Groups[1].Value] = label.Groups[2].Value;
                }

                break;
            case "WORKDIR":
                stage.WorkingFolder = text;
                Directory.CreateDirectory(stage.WorkingFolder);
                break;
            case "USER":
                stage.User = stage.Expand(text);
                break;
            case "ENTRYPOINT":
                stage.Entrypoint = Words(text);
                break;
            case "CMD":
                stage.Command = Words(text);
                break;
            case "HEALTHCHECK":
                stage.HealthCheck = Words(text[(text.IndexOf("CMD ", StringComparison.Ordinal) + 4)..]);
                break;
            case "COPY":
                await CopyAsync(stage, arguments);
                break;
            case "RUN" when text.StartsWith("dotnet publish ", StringComparison.Ordinal) && IsBuilt:
                await RunAsync(stage, $"{text} --no-build", Repository.Root);
                break;
            case "RUN":
                await RunAsync(stage, text, stage.WorkingFolder);
                break;
            case "EXPOSE":
                break; // says what the settings do
            default:
                throw new NotSupportedException($"{instruction} {text}");
        }
    }

    /// <summary>From the sources copies, between stages links: nobody writes to what is there twice.</summary>
    private async Task CopyAsync(BuiltStage stage, string[] arguments)
    {
        string[] options = [.. arguments.TakeWhile(argument => argument.StartsWith("--", StringComparison.Ordinal))];
        var from = options.Select(option => From().Match(option)).SingleOrDefault(match => match.Success)?.Groups[1].Value;
        var folder = from is null ? Repository.Root : (await MakeAsync(from)).Root;
        string[] how = from is null ? ["cp", "-a"] : ["cp", "-al"];
        if (options.Contains("--parents"))
        {
            how = [.. how, "--parents"];
        }

        var target = arguments[^1].StartsWith('/') ? stage.PathOf(arguments[^1]) : Path.Combine(stage.WorkingFolder, arguments[^1]);
        var sources = arguments[options.Length..^1]
            .Select(source => source.TrimStart('/'))
            .Select(source => source.EndsWith('/') ? $"{source}." : source); // of folders the content is copied
        Directory.CreateDirectory(target);
        await RunAsync(["bash", "-euc", $"{string.Join(' ', how)} {string.Join(' ', sources)} '{target}'"], folder);
    }

    private Task RunAsync(BuiltStage stage, string text, string folder) =>
        RunAsync(
            ["bash", "-euc", stage.Map(text)],
            folder,
            [("APP_UID", BaseEnvironment["APP_UID"]), .. stage.Arguments.Select(pair => (pair.Key, pair.Value))]
        );

    private async Task RunAsync(string[] command, string? folder = null, params (string Name, string Value)[] variables)
    {
        Directory.CreateDirectory(TemporaryFolder);
        var ended = await Command.RunAsync(
            command,
            folder: folder,
            environment:
            [
                .. variables,
                ("TMPDIR", TemporaryFolder),
                ("NUGET_SCRATCH", TemporaryFolder),
                ("MSBUILDDISABLENODEREUSE", "1"), // its nodes would outlive it
            ]
        );
        ended.ExitCode.ShouldBe(0, $"{string.Join(' ', command)}\n{ended.Output}{ended.Error}");
    }

    private static string[] Words(string json) => JsonSerializer.Deserialize<string[]>(json) ?? [];

    private static string OwnId() =>
        File.ReadLines("/proc/self/status").Single(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1];

    [GeneratedRegex(@"^--from=(\w+)$")]
    private static partial Regex From();

    [GeneratedRegex(@"([\w.]+)=""([^""]*)""")]
    private static partial Regex Label();
}
