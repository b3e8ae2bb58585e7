using System.Diagnostics;
using System.Text.Json;
using System.Xml.Linq;
using Dsde.Testing;

namespace Dsde.Deployment.Tests;

/// <summary>
/// What the Dockerfile says, done step by step without a container engine: built from what it copies, laid out as it says, nothing of it to
/// be written to, started as its user from an empty environment with its variables.
/// </summary>
public sealed class ImageRunTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task What_the_Dockerfile_makes_runs_a_job_read_only_as_another_user_from_an_empty_environment()
    {
        using var build = new ImageBuild();
        var starting = PrivateServer.StartAsync("rabbitmq");
        await using var postgres = await PrivateServer.StartAsync("postgresql");
        await using var rabbitMq = await starting;
        ShouldHaveAllSources(await build.MakeAsync("build"));
        ShouldHaveLabels(await build.MakeAsync("worker"));
        ShouldHaveNativeLibrariesApart(await build.MakeAsync("build"), await build.MakeAsync("worker"));
        var image = await build.MakeAsync("demo");
        await CloseAsync(build, image);
        var before = List(image.Root);
        var run = new ImageRun(
            build,
            image,
            ("Dsde__RabbitMq__Host", "127.0.0.1"),
            ("Dsde__RabbitMq__Port", $"{rabbitMq.Port}"),
            ("Dsde__Persistence__ConnectionString", $"Host=127.0.0.1;Port={postgres.Port};Database=dsde;Username=dsde;Password=dsde"),
            ("Dsde__Worker__HealthPort", $"{FreePorts.Find(1)}"), // as `docker run -e` would: 8080 may be taken
            ("Dsde__Worker__DrainSeconds", "5"),
            ("Dsde__Engine__ProfileSeconds", "0.01")
        );
        string[] program = image.Entrypoint;

        var migrated = await run.RunAsync([.. program, "db", "migrate"]);
        migrated.ExitCode.ShouldBe(0, migrated.Error);
        (await run.RunAsync(image.HealthCheck)).ExitCode.ShouldBe(1);
        using (var worker = run.Start([.. program, .. image.Command]))
        {
            var (output, errors) = (worker.StandardOutput.ReadToEndAsync(), worker.StandardError.ReadToEndAsync());
            await using var end = new WorkerEnd(worker);
            await WaitUntilWellAsync(run, worker, image.HealthCheck, errors);
            await WaitUntilWellAsync(run, worker, [.. program, "health"], errors);
            var results = build.PathOf("results");
            var submitted = await run.RunAsync([
                .. program,
                "submit",
                build.PathOf("jobs.jsonl"),
                "--wait",
                "--limit",
                "1",
                "--out",
                results,
            ]);
            await end.DisposeAsync();

            submitted.ExitCode.ShouldBe(0, submitted.Error);
            var line = (await File.ReadAllLinesAsync(Path.Combine(results, "results.jsonl"))).ShouldHaveSingleItem();
            JsonDocument.Parse(line).RootElement.GetProperty("error").ValueKind.ShouldBe(JsonValueKind.Null);
            worker.ExitCode.ShouldBe(0, await errors);
            foreach (var entry in (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                JsonDocument.Parse(entry).RootElement.GetProperty("Timestamp").GetString().ShouldNotBeNullOrEmpty();
            }
        }

        List(image.Root).ShouldBe(before);
    }

    /// <summary>What is in the folders of the program's projects, and what these name beside that, is copied before it is built.</summary>
    private static void ShouldHaveAllSources(BuiltStage build)
    {
        var projects = new Queue<string>([Repository.PathOf("src", "Dsde.Worker", "Dsde.Worker.csproj")]);
        string[] everywhere = ["global.json", "NuGet.config", ".editorconfig"];
        var needed = new HashSet<string>(
            [
                .. everywhere.Select(name => Repository.PathOf(name)),
                .. Directory.GetFiles(Repository.Root, "Directory.*"),
                .. Directory.GetFiles(Repository.PathOf("eng"), "*.targets"),
                Repository.PathOf("eng", "BannedSymbols.txt"),
            ],
            StringComparer.Ordinal
        );
        while (projects.TryDequeue(out var project))
        {
            if (!needed.Add(project))
            {
                continue;
            }

            var folder = Path.GetDirectoryName(project)!;
            needed.UnionWith(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories));
            var named = XDocument
                .Load(project)
                .Descendants()
                .SelectMany(element => element.Attributes().Where(attribute => attribute.Name.LocalName is "Include" or "Project"))
                .Select(attribute => attribute.Value)
                .Where(path => path.StartsWith("../", StringComparison.Ordinal))
                .Select(path => Path.GetFullPath(path, folder))
                .ToLookup(path => path.EndsWith(".csproj", StringComparison.Ordinal));
            named[true].ToList().ForEach(projects.Enqueue);
            needed.UnionWith(named[false]);
        }

        needed.Count(path => path.EndsWith(".csproj", StringComparison.Ordinal)).ShouldBeGreaterThan(5);
        needed
            .Select(path => Path.GetRelativePath(Repository.Root, path))
            .Where(path => !File.Exists(Path.Combine(build.WorkingFolder, path)))
            .ShouldBeEmpty();
    }

    private static void ShouldHaveLabels(BuiltStage worker)
    {
        const string prefix = "org.opencontainers.image.";
        var version = Yaml.Load(File.ReadAllText(Path.Combine(Chart.Folder, "Chart.yaml"))).Single().Text("appVersion");

        worker.Labels[$"{prefix}version"].ShouldBe(version);
        worker.Labels[$"{prefix}licenses"].ShouldBe("Apache-2.0");
        worker.Labels.Keys.ShouldBe(
            new[] { "title", "description", "licenses", "version", "revision", "created" }.Select(name => prefix + name),
            ignoreOrder: true
        );
    }

    /// <summary>What is large and hardly changes is copied by itself, and first; models are in no image but the demo's.</summary>
    private static void ShouldHaveNativeLibrariesApart(BuiltStage build, BuiltStage worker)
    {
        var native = Directory.GetFiles(build.PathOf("/native")).Select(Path.GetFileName).ToList();

        native.ShouldContain("libtorch_cpu.so");
        native.ShouldAllBe(name => name!.Contains(".so"));
        Directory.GetFiles(build.PathOf("/app"), "*.so*").ShouldBeEmpty();
        Directory.GetFiles(worker.PathOf("/opt/dsde/bin"), "*.so*").Length.ShouldBe(native.Count);
        SizeOf(build.PathOf("/native")).ShouldBeGreaterThan(3 * SizeOf(build.PathOf("/app")));
        Directory.GetFiles(worker.Root, "*.safetensors", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    /// <summary>Nothing of the image can be written to any more, its working folder neither; what is mounted beside it can.</summary>
    private static async Task CloseAsync(ImageBuild build, BuiltStage image)
    {
        image.User.ShouldBe(ImageBuild.BaseEnvironment["APP_UID"]);
        image.User.ShouldNotBe("0");
        File.Copy(Repository.PathOf("samples", "mixed.jsonl"), build.PathOf("jobs.jsonl"));
        Directory.CreateDirectory(build.PathOf("results"));
        var script = $"""
            chmod -R a-w,a+rX '{image.Root}'
            chmod 755 '{build.PathOf("")}'
            chmod 1777 '{build.TemporaryFolder}' '{build.PathOf("results")}'
            """;
        (await Command.RunAsync(["bash", "-euc", script])).ExitCode.ShouldBe(0);
        var run = new ImageRun(build, image);
        (await run.RunAsync("touch", image.PathOf("/opt/dsde/bin/dsde"))).ExitCode.ShouldBe(1);
        (await run.RunAsync("touch", Path.Combine(image.WorkingFolder, "file"))).ExitCode.ShouldBe(1);
    }

    private static async Task WaitUntilWellAsync(ImageRun run, Process worker, string[] question, Task<string> errors)
    {
        for (var start = TimeProvider.System.GetTimestamp(); await run.RunAsync(question) is { ExitCode: not 0 } answer; )
        {
            worker.HasExited.ShouldBeFalse(worker.HasExited ? $"{worker.ExitCode}: {await errors}" : "");
            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(Patience, answer.Output + answer.Error);
        }
    }

    private static long SizeOf(string folder) => new DirectoryInfo(folder).EnumerateFiles().Sum(file => file.Length);

    private static string[] List(string folder) =>
        [
            .. new DirectoryInfo(folder)
                .EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
                .Select(entry => $"{entry.FullName} {entry.LastWriteTimeUtc:O}")
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>Tells a worker to stop, however the test goes.</summary>
    private sealed class WorkerEnd(Process worker) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            if (!worker.HasExited)
            {
                Process.Start("kill", ["-TERM", $"{worker.Id}"]).Dispose();
                await worker.WaitForExitAsync(CancellationToken.None).WaitAsync(Patience);
            }
        }
    }
}
