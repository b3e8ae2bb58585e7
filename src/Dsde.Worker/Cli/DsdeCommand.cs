using System.CommandLine;

namespace Dsde.Worker.Cli;

/// <summary>A verb whose help ends with examples.</summary>
internal class DsdeCommand(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;
}
