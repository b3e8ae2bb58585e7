using System.Reflection;
using System.Text.RegularExpressions;
using Dsde.Contracts;
using Dsde.Testing;
using Dsde.Worker.Tests.Cli;

namespace Dsde.Worker.Tests;

/// <summary>
/// References go one way: the program composes Pipeline, Batches and Benchmarks; these know Engine, Persistence and Contracts as far as
/// they need; nothing points back.
/// </summary>
public sealed class ArchitectureTests
{
    private static readonly Assembly Contracts = typeof(Dsde.Contracts.SubmitGenerationJob).Assembly;

    /// <summary>Which of our own projects each may reference. A project that is not here fails the test: decide, then add it.</summary>
    private static readonly Dictionary<string, string[]> Own = new()
    {
        ["Dsde.Contracts"] = [],
        ["Dsde.Templates"] = [],
        ["Dsde.Speculation"] = [],
        ["Dsde.Statistics"] = [],
        ["Dsde.Grammars"] = [],
        ["Dsde.Engine"] = ["Dsde.Templates", "Dsde.Speculation", "Dsde.Grammars"],
        ["Dsde.Persistence"] = [],
        ["Dsde.Pipeline"] = ["Dsde.Contracts", "Dsde.Engine", "Dsde.Speculation", "Dsde.Grammars", "Dsde.Persistence"],
        ["Dsde.Batches"] = ["Dsde.Contracts", "Dsde.Statistics"],
        ["Dsde.Analytics"] = ["Dsde.Contracts", "Dsde.Speculation", "Dsde.Statistics", "Dsde.Persistence"],
        ["Dsde.Benchmarks"] =
        [
            "Dsde.Pipeline",
            "Dsde.Batches",
            "Dsde.Contracts",
            "Dsde.Engine",
            "Dsde.Speculation",
            "Dsde.Statistics",
            "Dsde.Persistence",
        ],
        ["Dsde.Experiments"] = ["Dsde.Analytics", "Dsde.Speculation", "Dsde.Statistics", "Dsde.Persistence"],
        ["dsde"] =
        [
            "Dsde.Pipeline",
            "Dsde.Batches",
            "Dsde.Benchmarks",
            "Dsde.Analytics",
            "Dsde.Contracts",
            "Dsde.Engine",
            "Dsde.Speculation",
            "Dsde.Statistics",
            "Dsde.Persistence",
        ],
    };

    /// <summary>Libraries that only the named projects may touch.</summary>
    private static readonly Dictionary<string, string[]> Libraries = new()
    {
        ["TorchSharp"] = ["Dsde.Engine"],
        ["Microsoft.EntityFrameworkCore"] = ["Dsde.Persistence"],
        ["Npgsql"] = ["Dsde.Persistence", "Dsde.Benchmarks", "dsde"],
        ["MassTransit"] = ["Dsde.Pipeline", "Dsde.Batches", "Dsde.Benchmarks", "dsde"],
        ["RabbitMQ.Client"] = ["Dsde.Pipeline", "Dsde.Benchmarks", "dsde"],
        ["Spectre.Console"] = ["Dsde.Batches", "Dsde.Benchmarks", "dsde"],
        ["Parquet"] = ["Dsde.Analytics"],
        ["ScottPlot"] = ["Dsde.Analytics", "Dsde.Benchmarks"],
        ["System.CommandLine"] = ["dsde", "Dsde.Experiments"],
    };

    public static TheoryData<string> Projects => [.. Own.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_those_below_it_and_the_libraries_it_is_there_for(string project)
    {
        var references = Assembly.Load(project).GetReferencedAssemblies().Select(name => name.Name ?? "").ToList();

        references.Where(name => Own.ContainsKey(name)).Except(Own[project]).ShouldBeEmpty();
        references.Where(name => Libraries.Any(library => IsPartOf(name, library.Key) && !library.Value.Contains(project))).ShouldBeEmpty();
    }

    [Fact]
    public void Every_project_of_the_product_has_its_place()
    {
        var solution = File.ReadAllText(Repository.PathOf("Dsde.sln"));
        var projects = Directory
            .EnumerateFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Repository.Root, path))
            .Where(path => solution.Contains(Path.GetFileName(path), StringComparison.Ordinal))
            .Where(path => path.StartsWith("src", StringComparison.Ordinal) || path.StartsWith("bench", StringComparison.Ordinal))
            .Select(path => Path.GetFileNameWithoutExtension(path).Replace("Dsde.Worker", "dsde", StringComparison.Ordinal));

        projects.ShouldBe(Own.Keys, ignoreOrder: true);
    }

    [Fact]
    public void Contracts_depend_on_nothing_but_the_abstractions_of_messaging() =>
        Contracts
            .GetReferencedAssemblies()
            .Select(name => name.Name ?? "")
            .ShouldAllBe(name => name.StartsWith("System", StringComparison.Ordinal) || name == "MassTransit.Abstractions");

    [Fact]
    public void Messages_are_immutable() =>
        Contracts
            .GetExportedTypes()
            .SelectMany(type => type.GetProperties())
            .Where(property => property.SetMethod is not null)
            .ShouldAllBe(property =>
                property
                    .SetMethod!.ReturnParameter.GetRequiredCustomModifiers()
                    .Contains(typeof(System.Runtime.CompilerServices.IsExternalInit))
            );

    private static bool IsPartOf(string assembly, string library) => Regex.IsMatch(assembly, $@"^{Regex.Escape(library)}(\.|$)");
}
