using Dsde.Testing;

namespace Dsde.Worker.Tests;

/// <summary>
/// The formatter holds the line length of .editorconfig but for comments and string literals; this holds it for these too.
/// </summary>
public sealed class LineLengthTests
{
    private const int Most = 140;

    [Fact]
    public void No_line_of_the_sources_is_longer_than_the_editorconfig_says()
    {
        var sources = Repository.Sources.ToList();

        sources.Count.ShouldBeGreaterThan(500);
        var tooLong = sources.SelectMany(file =>
            File.ReadLines(Repository.PathOf(file))
                .Select((line, index) => (line.Length, Place: $"{file}:{index + 1}"))
                .Where(line => line.Length > Most)
                .Select(line => $"{line.Place} has {line.Length} characters")
        );
        string.Join('\n', tooLong).ShouldBeEmpty();
        File.ReadAllText(Repository.PathOf(".editorconfig")).ShouldContain($"max_line_length = {Most}");
    }
}
