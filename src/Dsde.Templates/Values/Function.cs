using Dsde.Templates.Running;

namespace Dsde.Templates.Values;

/// <summary>A function of the library, or a value's method.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Body">What it does.</param>
internal sealed record Function(string Name, Func<Machine, Arguments, object?> Body) : ICallable
{
    public object? Call(Machine machine, Arguments arguments) => Body(machine, arguments);
}
