using Dsde.Templates.Running;

namespace Dsde.Templates.Values;

/// <summary>What a template can call.</summary>
internal interface ICallable
{
    object? Call(Machine machine, Arguments arguments);
}
