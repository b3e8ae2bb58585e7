using System.CommandLine;

namespace Dsde.Worker.Cli.Clients;

/// <summary>A client verb at work: what it was given, how it waits, and how to go on if it ends before its time.</summary>
internal sealed class ClientRun(ParseResult arguments, Patience patience)
{
    /// <summary>The command line.</summary>
    public ParseResult Arguments => arguments;

    /// <summary>For database and broker.</summary>
    public Patience Patience => patience;

    /// <summary>Where results are told.</summary>
    public TextWriter Output => arguments.InvocationConfiguration.Output;

    /// <summary>Where everything else is told.</summary>
    public TextWriter Error => arguments.InvocationConfiguration.Error;

    /// <summary>Sentences that say what is done and which command goes on.</summary>
    public string WayOn { get; set; } = $"Go on with: {CommandText.Of(arguments)}";

    /// <summary>Whether something is done by now, so that every end has to say how to go on.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>From now on there is something to go on with.</summary>
    public void Begin(string wayOn) => (WayOn, HasBegun) = (wayOn, true);
}
