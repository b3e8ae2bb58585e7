using Dsde.Batches.Following;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>The main job, run once for all tests: samples/mixed.jsonl through the embedded pipeline, in fp32.</summary>
public sealed class SampleRun : IAsyncLifetime
{
    /// <summary>The job file.</summary>
    public static string JobFile { get; } = Repository.PathOf("samples", "mixed.jsonl");

    /// <summary>Where the results are.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("dsde-run-").FullName;

    internal DsdeProgram.Ended Ended { get; private set; } = new(-1, "", "");

    public async ValueTask InitializeAsync() => Ended = await DsdeProgram.RunAsync("run", JobFile, "--out", Folder, "--dtype", "fp32");

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
