using System.Reflection;
using System.Text.RegularExpressions;
using Dsde.Contracts;
using Dsde.Testing;
using Dsde.Worker.Cli;

namespace Dsde.Worker.Tests.Documents;

/// <summary>Documents lead somewhere, and name commands that the program has and that somebody has run.</summary>
public sealed partial class DocumentTests
{
    private static readonly string[] TestClasses =
    [
        .. Repository
            .Sources.Where(file =>
                file.StartsWith("tests", StringComparison.Ordinal) && file.EndsWith("Tests.cs", StringComparison.Ordinal)
            )
            .Select(file => Path.GetFileNameWithoutExtension(file)),
    ];

    public static TheoryData<string> Paths => [.. Document.All.Select(document => document.Path)];

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_link_leads_to_a_file_and_a_heading_that_are_there(string path)
    {
        var document = Find(path);
        foreach (var link in document.Links.Where(link => !link.StartsWith("http", StringComparison.Ordinal)))
        {
            var (file, anchor) = link.Split('#') is [var first, var second] ? (first, second) : (link, null);
            var target =
                file.Length == 0 ? path : Path.GetRelativePath(Repository.Root, Repository.PathOf(Path.GetDirectoryName(path)!, file));

            (File.Exists(Repository.PathOf(target)) || Directory.Exists(Repository.PathOf(target))).ShouldBeTrue($"{path}: {link}");
            if (anchor is not null)
            {
                new Document(target).Anchors.ShouldContain(anchor, $"{path}: {link}");
            }
        }
    }

    [Fact]
    public void Documents_that_sources_settings_and_alerts_name_are_there_with_the_heading()
    {
        var files = Repository.Sources.Concat(
            new[] { "dsde", "docker/compose.yaml", "helm/dsde/values.yaml", "helm/dsde/files/alerts.yaml", "docs/asyncapi.yaml" }
        );
        foreach (var file in files)
        {
            foreach (Match named in NamedDocument().Matches(File.ReadAllText(Repository.PathOf(file))))
            {
                var document = named.Groups[1].Value;
                File.Exists(Repository.PathOf(document)).ShouldBeTrue($"{file}: {named.Value}");
                if (named.Groups[2].Success)
                {
                    new Document(document).Anchors.ShouldContain(named.Groups[2].Value, $"{file}: {named.Value}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_block_of_commands_is_run_by_a_test_that_is_there_or_says_why_not(string path)
    {
        foreach (var (mark, commands) in Find(path).Blocks)
        {
            if (mark.StartsWith("run by ", StringComparison.Ordinal))
            {
                mark["run by ".Length..].Split(", ").ShouldBeSubsetOf(TestClasses, commands);
            }
            else
            {
                mark.ShouldStartWith("not run: ", customMessage: $"{path} doesn't say who runs this:\n{commands}");
                mark.Length.ShouldBeGreaterThan("not run: ".Length + 10);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_command_of_the_program_is_understood_by_it(string path)
    {
        var root = DsdeCommandLine.Create();
        using var run = new ScratchFolder("run");
        run.Write("dsde.db");
        foreach (var command in Find(path).Commands)
        {
            string[] words =
            [
                .. Words().Matches(command).Select(match => Place(match.Value.Trim('\'', '"'), run.Path)).TakeWhile(word => word != "…"),
            ];
            var parsed = root.Parse(words);

            // A verb may be named without what it takes; more than that has to be right.
            var verbs = Names(parsed.CommandResult).ToList();
            verbs.Count.ShouldBeGreaterThan(0, $"{path}: dsde {command}");
            if (words.Length > verbs.Count)
            {
                parsed.Errors.Select(error => error.Message).ShouldBeEmpty($"{path}: dsde {command}");
            }
        }
    }

    [Fact]
    public void The_table_of_failures_has_every_exit_code_health_check_failure_code_and_alert()
    {
        var guide = File.ReadAllText(Repository.PathOf("docs", "operations.md"));
        var start = guide.IndexOf("## When something is wrong", StringComparison.Ordinal);
        var table = guide[start..guide.IndexOf("\n## ", start, StringComparison.Ordinal)];
        var alerts = AlertNames().Matches(File.ReadAllText(Repository.PathOf("helm", "dsde", "files", "alerts.yaml")));
        var checks = HealthChecks()
            .Matches(File.ReadAllText(Repository.PathOf("src", "Dsde.Pipeline", "Hosting", "WorkerApplication.cs")))
            .Select(match => match.Groups[1].Value)
            .ToList();

        foreach (var code in ConstantsOf(typeof(ExitCodes)).Where(code => code is not (int)0))
        {
            table.ShouldContain($"exit code {code}");
        }

        foreach (var code in ConstantsOf(typeof(FailureCodes)))
        {
            table.ShouldContain($"`{code}`");
        }

        alerts.Count.ShouldBeGreaterThan(5);
        foreach (Match alert in alerts)
        {
            table.ShouldContain($"[{alert.Groups[1].Value}](#{alert.Groups[1].Value.ToLowerInvariant()})");
        }

        checks.Count.ShouldBe(5);
        checks.ShouldAllBe(check => table.Contains($"`{check}`") || table.Contains($"`{check}: "));
        foreach (var row in table.Split('\n').Where(line => line.StartsWith('|')))
        {
            row.Split('|').Length.ShouldBe(5, row);
        }
    }

    private static Document Find(string path) => Document.All.Single(document => document.Path == path);

    private static IEnumerable<object?> ConstantsOf(Type type) =>
        type.GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.IsLiteral)
            .Select(field => field.GetRawConstantValue());

    private static IEnumerable<string> Names(System.CommandLine.Parsing.CommandResult result) =>
        result.Parent is System.CommandLine.Parsing.CommandResult parent ? Names(parent).Append(result.Command.Name) : [];

    /// <summary>Words that stand for an id, in the form that an id has; for the folder of a run, one that is there.</summary>
    private static string Place(string word, string run) =>
        word.EndsWith('/') ? $"{run}/" : PlaceOfId().Replace(word, "7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11");

    [GeneratedRegex(@"'[^']*'|""[^""]*""|\S+")]
    private static partial Regex Words();

    [GeneratedRegex(@"^(ID|BATCH|JOB)$|\$\w+")]
    private static partial Regex PlaceOfId();

    [GeneratedRegex(@"(?<![\w/])(docs/[\w-]+\.(?:md|yaml))(?:#([\w-]+))?")]
    private static partial Regex NamedDocument();

    [GeneratedRegex(@"- alert: (\w+)")]
    private static partial Regex AlertNames();

    [GeneratedRegex(@"AddCheck<\w+>\(""(\w+)""")]
    private static partial Regex HealthChecks();
}
