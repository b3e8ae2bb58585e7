using System.Reflection;
using NetArchTest.Rules;

namespace Dsde.Worker.Tests;

/// <summary>References go one way: Worker → Engine, Persistence, Contracts; nothing points back.</summary>
public sealed class ArchitectureTests
{
    private static readonly Assembly Contracts = typeof(Dsde.Contracts.SubmitGenerationJob).Assembly;
    private static readonly Assembly Engine = typeof(Dsde.Engine.IGenerationEngine).Assembly;
    private static readonly Assembly Persistence = typeof(Dsde.Persistence.IJobStore).Assembly;
    private static readonly Assembly Worker = typeof(Dsde.Worker.Hosting.WorkerOptions).Assembly;

    [Fact]
    public void The_engine_knows_no_queue_no_database_and_no_message() =>
        ShouldNotReference(
            Engine,
            "Dsde.Contracts",
            "Dsde.Persistence",
            "MassTransit",
            "Microsoft.EntityFrameworkCore",
            "Npgsql",
            "Microsoft.AspNetCore"
        );

    [Fact]
    public void Persistence_knows_no_engine_no_queue_and_no_message() =>
        ShouldNotReference(Persistence, "Dsde.Engine", "Dsde.Contracts", "MassTransit", "TorchSharp");

    [Fact]
    public void Contracts_depend_on_nothing() =>
        Contracts
            .GetReferencedAssemblies()
            .Select(name => name.Name)
            .ShouldAllBe(name => name!.StartsWith("System", StringComparison.Ordinal) || name == "MassTransit.Abstractions");

    [Fact]
    public void The_worker_leaves_tensors_and_tables_to_their_projects()
    {
        var names = Worker.GetReferencedAssemblies().Select(name => name.Name).ToList();

        names.ShouldNotContain("TorchSharp");
        names.ShouldNotContain("Microsoft.EntityFrameworkCore");
    }

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

    private static void ShouldNotReference(Assembly assembly, params string[] forbidden) =>
        (Types.InAssembly(assembly).ShouldNot().HaveDependencyOnAny(forbidden).GetResult().FailingTypeNames ?? []).ShouldBeEmpty();
}
