using System.Collections.Concurrent;
using System.Globalization;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators;

/// <summary>ATen operators that TorchSharp has no binding for, reached through TorchScript.</summary>
internal static class FusedOps
{
    private static readonly ConcurrentDictionary<double, jit.CompilationUnit> RmsNorms = new();

    /// <summary>
    /// Root-mean-square normalisation over the last dimension. <paramref name="x"/>: <c>[R, H]</c>, <paramref name="weight"/>: <c>[H]</c>.
    /// </summary>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double eps) =>
        (Tensor)RmsNorms.GetOrAdd(eps, CompileRmsNorm).invoke("rms_norm", x, weight)!;

    /// <summary>
    /// The constant is compiled in: TorchSharp makes a temporary scalar of a number that is passed, and the garbage collector may free it
    /// before the call has read it. The last line must end: a source that does not compile can end the process, so nothing but a number
    /// varies in it.
    /// </summary>
    private static jit.CompilationUnit CompileRmsNorm(double eps) =>
        jit.compile(
            $"""
            def rms_norm(x: Tensor, weight: Tensor) -> Tensor:
                return torch.rms_norm(x, weight.size(), weight, {eps.ToString("E17", CultureInfo.InvariantCulture)})

            """
        );
}
