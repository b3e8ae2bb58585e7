using static TorchSharp.torch;

namespace Dsde.Engine.Models;

/// <summary>ATen operators that TorchSharp has no binding for, reached through TorchScript.</summary>
internal static class FusedOps
{
    // Compiled once. A source that does not compile ends the process, so it is fixed text and never made from input.
    private static readonly jit.CompilationUnit Unit = jit.compile(
        """
        def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
            return torch.rms_norm(x, weight.size(), weight, eps)
        """);

    /// <summary>Root-mean-square normalisation over the last dimension. <paramref name="x"/>: <c>[R, H]</c>, <paramref name="weight"/>: <c>[H]</c>.</summary>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double eps) => (Tensor)Unit.invoke("rms_norm", x, weight, eps)!;
}
