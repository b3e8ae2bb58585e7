using System.Text.RegularExpressions;
using System.Xml.Linq;
using Dsde.Testing;

namespace Dsde.Worker.Tests;

/// <summary>CONTRIBUTING.md sends nobody to a file that isn't there, and past none that an errand takes.</summary>
public sealed partial class ContributingTests
{
    private static readonly string Text = File.ReadAllText(Repository.PathOf("CONTRIBUTING.md"));

    [Fact]
    public void Every_file_and_every_test_that_is_named_is_there()
    {
        var paths = Path().Matches(Text).Select(match => match.Groups[1].Value).Distinct().ToList();
        var tests = TestClass().Matches(Text).Select(match => match.Groups[1].Value).Distinct().ToList();
        var sources = Repository.Sources.Select(System.IO.Path.GetFileNameWithoutExtension).ToHashSet();

        paths.Count.ShouldBeGreaterThan(30);
        paths.Where(path => !File.Exists(Repository.PathOf(path)) && !Directory.Exists(Repository.PathOf(path))).ShouldBeEmpty();
        tests.Where(test => !sources.Contains(test)).ShouldBeEmpty();
    }

    /// <summary>What was added last, by the names that the sources have for it: the files with these names are what such an errand
    /// takes.</summary>
    [Theory]
    [InlineData("## A policy", @"\bGoodput\b|\bgoodput\b", "src", "bench")]
    [InlineData("## A model family", @"\bQwen3Family\b|Qwen2 / Qwen3", "src")]
    [InlineData("## A column of the telemetry", @"\b(Iteration)?BatchRows\b|\b(iteration_)?batch_rows\b", "src", "bench")]
    public void Every_source_that_knows_the_last_one_is_listed(string errand, string names, params string[] folders)
    {
        var section = Text[Text.IndexOf(errand, StringComparison.Ordinal)..];
        section = section[..(section.IndexOf("\n## ", 1, StringComparison.Ordinal) is var end and > 0 ? end : section.Length)];
        var found = folders
            .SelectMany(folder => Directory.EnumerateFiles(Repository.PathOf(folder), "*.*", SearchOption.AllDirectories))
            .Where(file => file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".md", StringComparison.Ordinal))
            .Select(file => System.IO.Path.GetRelativePath(Repository.Root, file))
            .Where(file => !file.Contains("/Migrations/", StringComparison.Ordinal))
            .Where(file => Regex.IsMatch(File.ReadAllText(Repository.PathOf(file)), names))
            .ToList();

        found.Count.ShouldBeGreaterThan(1);
        found.Where(file => !section.Contains($"`{file}`", StringComparison.Ordinal) && !IsItself(file)).ShouldBeEmpty();
    }

    [Fact]
    public void The_picture_of_the_architecture_is_whole_describes_itself_and_needs_nothing_from_elsewhere()
    {
        var picture = XDocument.Load(Repository.PathOf("docs", "architecture.svg")).Root.ShouldNotBeNull();
        XNamespace svg = "http://www.w3.org/2000/svg";

        picture.Attribute("role")?.Value.ShouldBe("img");
        picture.Element(svg + "title").ShouldNotBeNull();
        picture.Element(svg + "desc").ShouldNotBeNull().Value.Length.ShouldBeGreaterThan(100);
        picture.Element(svg + "style").ShouldNotBeNull().Value.ShouldContain("prefers-color-scheme: dark");
        picture.Descendants().Attributes().ShouldAllBe(attribute => attribute.Name.LocalName != "href");
        foreach (var document in (string[])["README.md", "docs/architecture.md"])
        {
            File.ReadAllText(Repository.PathOf(document)).ShouldContain("architecture.svg)");
        }
    }

    /// <summary>The class that an errand is about.</summary>
    private static bool IsItself(string file) => file.EndsWith("Qwen3Family.cs", StringComparison.Ordinal);

    [GeneratedRegex(@"`((?:src|tests|bench|docs|eng|tools)/[\w./-]+)`")]
    private static partial Regex Path();

    [GeneratedRegex(@"`(\w+Tests)`")]
    private static partial Regex TestClass();
}
