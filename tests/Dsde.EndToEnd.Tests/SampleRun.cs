using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>
/// The main job, run once for all tests that look at it, when the first of them asks: samples/mixed.jsonl through the embedded pipeline, in
/// fp32.
/// </summary>
public sealed class SampleRun : IDisposable
{
    private readonly ScratchFolder _folder = new("run");
    private readonly Lazy<Task<DsdeProgram.Ended>> _run;

    public SampleRun() => _run = new(() => DsdeProgram.RunAsync("run", JobFile, "--out", _folder.Path, "--dtype", "fp32"));

    /// <summary>The job file.</summary>
    public static string JobFile { get; } = Repository.PathOf("samples", "mixed.jsonl");

    /// <summary>Where the results are once it has ended.</summary>
    public string Folder => _folder.Path;

    /// <summary>Its end.</summary>
    internal Task<DsdeProgram.Ended> Ended => _run.Value;

    public void Dispose() => _folder.Dispose();
}
