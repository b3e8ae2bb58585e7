using System.Reflection;
using Mono.Cecil;

namespace Dsde.Testing;

/// <summary>
/// A number that TorchSharp wraps for a call can be freed by the collector while torch reads it, which ends the process once in some
/// thousand test runs: nobody would find out why. So it is read from the code whether such calls exist, TorchSharp's own inside its methods
/// included.
/// </summary>
public static class TemporaryScalars
{
    private const string ScalarType = "TorchSharp.Scalar";

    /// <summary>The one class that may wrap numbers, since it keeps them.</summary>
    private const string Keeper = "Dsde.Engine.Torch.Scalars";

    private static readonly Lazy<HashSet<string>> Makers = new(FindMakers);

    /// <summary>The calls in an assembly that give torch a number that nobody holds, as lines «method calls method».</summary>
    public static IReadOnlyList<string> CallsIn(Assembly assembly)
    {
        using var module = ModuleDefinition.ReadModule(assembly.Location);
        return
        [
            .. Methods(module)
                .Where(method => method.DeclaringType.FullName.Split('/')[0] != Keeper)
                .SelectMany(method => Calls(method).Where(IsTemporary).Select(called => $"{method.FullName} calls {called.FullName}")),
        ];
    }

    /// <summary>Whether a method of TorchSharp, by its full name, wraps a number for itself.</summary>
    public static bool MakesOne(string method) => Makers.Value.Contains(method);

    /// <summary>TorchScript's arguments are tensors here; only numbers among them would be wrapped.</summary>
    private static bool IsTemporary(MethodReference called) =>
        IsConversion(called) || (MakesOne(called.FullName) && called is not { Name: "invoke", DeclaringType.Name: "CompilationUnit" });

    private static bool IsConversion(MethodReference called) =>
        called.ReturnType.FullName == ScalarType && called.Name is "op_Implicit" or "ToScalar" or "ToBFloat16Scalar";

    /// <summary>Methods of TorchSharp that convert numbers, or call one that does; a virtual method that an override of it does.</summary>
    private static HashSet<string> FindMakers()
    {
        using var module = ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, "TorchSharp.dll"));
        var callers = Methods(module)
            .SelectMany(method => Calls(method).Select(called => (Method: method, Called: called)))
            .ToLookup(call => IsConversion(call.Called) ? string.Empty : call.Called.FullName, call => call.Method);
        var makers = new HashSet<string>();
        var open = new Queue<string>([string.Empty]);
        while (open.TryDequeue(out var next))
        {
            foreach (var name in callers[next].SelectMany(WithOverridden).Where(makers.Add))
            {
                open.Enqueue(name);
            }
        }

        return makers;
    }

    /// <summary>A method, and those of its base types that it overrides: a call of one of them may be a call of it.</summary>
    private static IEnumerable<string> WithOverridden(MethodDefinition method)
    {
        yield return method.FullName;
        if (!method.IsVirtual || method.IsNewSlot)
        {
            yield break;
        }

        for (var type = method.DeclaringType.BaseType?.Resolve(); type?.Module == method.Module; type = type.BaseType?.Resolve())
        {
            foreach (var overridden in type.Methods.Where(candidate => candidate.IsVirtual && IsSame(candidate, method)))
            {
                yield return overridden.FullName;
            }
        }
    }

    private static bool IsSame(MethodDefinition one, MethodDefinition other) =>
        one.Name == other.Name
        && one.Parameters.Select(parameter => parameter.ParameterType.FullName)
            .SequenceEqual(other.Parameters.Select(parameter => parameter.ParameterType.FullName));

    private static IEnumerable<MethodDefinition> Methods(ModuleDefinition module) =>
        module.GetTypes().SelectMany(type => type.Methods).Where(method => method.HasBody);

    /// <summary>What a method calls, or hands on to be called.</summary>
    private static IEnumerable<MethodReference> Calls(MethodDefinition method) =>
        method.Body.Instructions.Select(step => step.Operand).OfType<MethodReference>();
}
