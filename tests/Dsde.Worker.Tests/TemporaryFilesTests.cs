using Dsde.Testing;

namespace Dsde.Worker.Tests;

/// <summary>
/// Tests get temporary folders from <see cref="ScratchFolder"/> alone, so that there is one place that takes them away again.
/// </summary>
public sealed class TemporaryFilesTests
{
    private static readonly string[] Others =
    [
        nameof(Directory.CreateTempSubdirectory),
        nameof(Path.GetTempPath),
        nameof(Path.GetTempFileName),
    ];

    /// <summary>The copy of a pipe, which is the program's own.</summary>
    private static readonly string Exception = Path.Combine("src", "Dsde.Batches", "Following", "JobFile.cs");

    [Fact]
    public void Nobody_but_the_support_of_the_tests_makes_temporary_files()
    {
        var sources = Repository.Sources.ToList();

        sources.Count.ShouldBeGreaterThan(500);
        var offenders = sources
            .Where(source => !source.StartsWith(Path.Combine("tests", "Dsde.Testing"), StringComparison.Ordinal))
            .Where(source => source != Exception)
            .Where(source => source != Path.Combine("tests", "Dsde.Worker.Tests", $"{nameof(TemporaryFilesTests)}.cs"))
            .Where(source => Others.Any(File.ReadAllText(Repository.PathOf(source)).Contains));
        string.Join('\n', offenders).ShouldBeEmpty($"Use {nameof(ScratchFolder)} there.");
    }
}
