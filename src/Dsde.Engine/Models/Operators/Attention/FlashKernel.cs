using System.Collections.Concurrent;
using System.Globalization;
using Dsde.Engine.Models.Passes;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators.Attention;

/// <summary>
/// The variable-length flash kernel (Dao 2023) of CUDA builds, reached through TorchScript: rows of any number per sequence, keys and
/// values one sequence after the other. The source compiles anywhere; it runs on GPUs only.
/// </summary>
internal sealed class FlashKernel
{
    private static readonly ConcurrentDictionary<(double Scale, int Window), FlashKernel> Compiled = new();

    private readonly jit.CompilationUnit _unit;

    private FlashKernel(double scale, int windowLeft) => _unit = Compile(scale, windowLeft);

    /// <summary>The kernel for a scale and a window, compiled when first asked for.</summary>
    /// <param name="scale">Scores are multiplied by it.</param>
    /// <param name="window">Most recent positions seen, the row's own included; null for all.</param>
    public static FlashKernel For(double scale, int? window) =>
        Compiled.GetOrAdd((scale, window - 1 ?? -1), key => new FlashKernel(key.Scale, key.Window));

    /// <summary>Attends. Legend as in <see cref="PassRows"/>; C keys of all sequences together.</summary>
    /// <param name="query"><c>[R, h, d]</c> bf16 or fp16</param>
    /// <param name="keys"><c>[C, g, d]</c></param>
    /// <param name="values"><c>[C, g, d]</c></param>
    /// <param name="indices">Where sequences begin and end.</param>
    /// <returns><c>[R, h, d]</c></returns>
    public Tensor Attend(Tensor query, Tensor keys, Tensor values, RaggedIndices indices) =>
        (Tensor)_unit.invoke("attend", query, keys, values, indices.QueryBounds, indices.KeyBounds, indices.Most)!;

    /// <summary>
    /// Causal means here that a sequence's rows are its last positions. Scale and window are compiled in, and the two maxima come as the
    /// shape of an empty tensor, because TorchSharp's temporary scalars can be collected before the call has read them; reading a shape
    /// doesn't wait for the device. A source that does not compile can end the process, so nothing but numbers varies in it.
    /// </summary>
    private static jit.CompilationUnit Compile(double scale, int windowLeft)
    {
        // In one line each: a line break inside brackets ends the process.
        const string Parameters = "query: Tensor, keys: Tensor, values: Tensor, query_bounds: Tensor, key_bounds: Tensor, most: Tensor";
        const string Arguments = "query, keys, values, query_bounds, key_bounds, most.size(0), most.size(1), 0.0, True, False";
        var windowRight = windowLeft < 0 ? -1 : 0;
        var settings = string.Create(
            CultureInfo.InvariantCulture,
            $"scale={scale:E17}, window_size_left={windowLeft}, window_size_right={windowRight}"
        );
        return jit.compile(
            $"""
            def attend({Parameters}) -> Tensor:
                result = torch._flash_attention_forward({Arguments}, {settings})
                return result[0]

            """
        );
    }
}
