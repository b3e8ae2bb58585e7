using Dsde.Engine.Torch;
using Mono.Cecil;
using Mono.Cecil.Cil;
using TorchSharp;

namespace Dsde.Engine.Tests;

/// <summary>
/// A number that TorchSharp wraps for a call can be freed by the collector while torch reads it, which ends the process once in some
/// thousand test runs: nobody would find out why. So it is read from the code that no such call exists, TorchSharp's own inside its methods
/// included.
/// </summary>
public sealed class TemporaryScalarTests
{
    private static readonly HashSet<string> MakersOfTemporaries = FindMakers();

    [Theory]
    [InlineData(typeof(Scalars))]
    [InlineData(typeof(TemporaryScalarTests))]
    public void No_call_gives_torch_a_number_that_nobody_holds(Type assembly)
    {
        using var module = ModuleDefinition.ReadModule(assembly.Assembly.Location);

        var calls = Methods(module)
            .Where(method => method.DeclaringType.FullName.Split('/')[0] != typeof(Scalars).FullName)
            .SelectMany(method => Calls(method).Where(IsTemporary).Select(called => $"{method.FullName} calls {called.FullName}"));

        calls.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("TorchSharp.torch/Tensor TorchSharp.torch/Tensor::op_Addition(TorchSharp.torch/Tensor,TorchSharp.torch/Tensor)")]
    [InlineData("TorchSharp.torch/Tensor TorchSharp.torch/Tensor::op_GreaterThan(TorchSharp.torch/Tensor,TorchSharp.Scalar)", false)]
    [InlineData("TorchSharp.torch/Tensor TorchSharp.torch/Tensor::add_(TorchSharp.torch/Tensor)")]
    public void Methods_that_make_a_number_for_themselves_are_recognised(string method, bool makesOne = true) =>
        MakersOfTemporaries.Contains(method).ShouldBe(makesOne);

    /// <summary>TorchScript's arguments are tensors here; only numbers among them would be wrapped.</summary>
    private static bool IsTemporary(MethodReference called) =>
        IsConversion(called) || (MakersOfTemporaries.Contains(called.FullName) && called.Name != nameof(torch.jit.CompilationUnit.invoke));

    private static bool IsConversion(MethodReference called) =>
        called.ReturnType.FullName == typeof(Scalar).FullName && (called.Name is "op_Implicit" or "ToScalar" or "ToBFloat16Scalar");

    /// <summary>Methods of TorchSharp that convert numbers, or call one that does.</summary>
    private static HashSet<string> FindMakers()
    {
        using var module = ModuleDefinition.ReadModule(typeof(torch).Assembly.Location);
        var callers = Methods(module)
            .SelectMany(method => Calls(method).Select(called => (Method: method.FullName, Called: called)))
            .ToLookup(call => IsConversion(call.Called) ? string.Empty : call.Called.FullName, call => call.Method);
        var makers = new HashSet<string>();
        var open = new Queue<string>([string.Empty]);
        while (open.TryDequeue(out var next))
        {
            foreach (var caller in callers[next].Where(makers.Add))
            {
                open.Enqueue(caller);
            }
        }

        return makers;
    }

    private static IEnumerable<MethodDefinition> Methods(ModuleDefinition module) =>
        module.GetTypes().SelectMany(type => type.Methods).Where(method => method.HasBody);

    private static IEnumerable<MethodReference> Calls(MethodDefinition method) =>
        method
            .Body.Instructions.Where(step => step.OpCode.FlowControl == FlowControl.Call)
            .Select(step => step.Operand)
            .OfType<MethodReference>();
}
