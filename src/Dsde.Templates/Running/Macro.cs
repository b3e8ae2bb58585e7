using Dsde.Templates.Syntax;
using Dsde.Templates.Values;

namespace Dsde.Templates.Running;

/// <summary>A macro, or the body of a call block, with the variables around it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Body">What it does.</param>
/// <param name="Around">The scope it was written in.</param>
internal sealed record Macro(string Name, MacroBody Body, Scope Around) : ICallable
{
    /// <summary>Whether it is the body of a call block, which has no name of its own.</summary>
    public bool IsCaller { get; init; }

    public object? Call(Machine machine, Arguments arguments) => machine.RunMacro(this, arguments);
}
