using Dsde.Engine.Models.Passes;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators.Attention;

/// <summary>
/// Attention on CUDA: the variable-length kernel, without padding of rows or keys, for what it computes (bf16 and fp16, heads up to 256
/// wide in steps of 8, plain scores), one batched call for the rest (fp32; Gemma 2, whose scores are soft-capped). The kernel of this torch
/// knows no blocks: a layer's keys and values are gathered for it, one sequence after the other.
/// </summary>
internal sealed class FlashAttention : IAttention
{
    private const int WidestHead = 256;
    private const int HeadStep = 8;

    private readonly BatchedAttention _otherwise = new();

    /// <inheritdoc/>
    public Tensor Attend(Tensor query, AttentionShape shape, PassRows rows, Tensor keys, Tensor values)
    {
        if (query.device_type != DeviceType.CUDA || !Computes(query.dtype, shape)) // a split model may have layers on the processor
        {
            return _otherwise.Attend(query, shape, rows, keys, values);
        }

        using var scope = NewDisposeScope();
        var places = rows.Places.Ragged;
        // [R, h, d]
        var attended = FlashKernel
            .For(shape.Scale, shape.SlidingWindow)
            .Attend(query, keys.index_select(0, places), values.index_select(0, places), rows.Ragged);
        return attended.reshape(-1, shape.HeadCount * shape.HeadDim).MoveToOuterDisposeScope();
    }

    /// <summary>Whether the kernel computes rows of a type under a shape.</summary>
    public static bool Computes(ScalarType type, AttentionShape shape) =>
        type is ScalarType.BFloat16 or ScalarType.Float16
        && shape is { SoftCap: null, HeadDim: <= WidestHead }
        && shape.HeadDim % HeadStep == 0;
}
