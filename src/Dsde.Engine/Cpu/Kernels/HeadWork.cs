using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>What is done to one head's numbers before it attends or is kept.</summary>
internal static unsafe class HeadWork<T, TElement>
    where T : unmanaged
    where TElement : IElement<T>
{
    /// <summary>Normalises a head, if it has a norm, and rotates it.</summary>
    /// <param name="head"><c>[d]</c></param>
    /// <param name="norm"><c>[d]</c> or null.</param>
    /// <param name="eps">Added to the mean square.</param>
    /// <param name="cos">Of the row's position. <c>[d]</c></param>
    /// <param name="sin">Of the row's position, negated in the first half. <c>[d]</c></param>
    /// <param name="headDim">d</param>
    /// <param name="scratch"><c>[padded d] f32</c></param>
    /// <param name="result">Zeros behind the head. <c>[padded d] f32</c></param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Prepare(T* head, T* norm, float eps, T* cos, T* sin, int headDim, float* scratch, float* result)
    {
        var scale = Vector512.Create(norm == null ? 1f : NormWork<T, TElement>.InverseRootMeanSquare(head, headDim, eps));
        for (var i = 0; i < headDim; i += PartialRow.VectorWidth)
        {
            var values = PartialRow.Load<T, TElement>(head + i, headDim - i);
            if (norm != null)
            {
                values = values * scale * PartialRow.Load<T, TElement>(norm + i, headDim - i);
            }

            values.Store(scratch + i);
        }

        Rotate(scratch, cos, sin, headDim, result);
    }

    /// <summary>x·cos + swap(x)·sin, where swap exchanges the halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rotate(float* head, T* cos, T* sin, int headDim, float* result)
    {
        var half = headDim / 2;
        if (half % PartialRow.VectorWidth == 0)
        {
            for (var i = 0; i < headDim; i += PartialRow.VectorWidth)
            {
                var swapped = Vector512.Load(head + (i < half ? i + half : i - half));
                Vector512
                    .FusedMultiplyAdd(swapped, TElement.Load(sin + i), Vector512.Load(head + i) * TElement.Load(cos + i))
                    .Store(result + i);
            }

            return;
        }

        for (var i = 0; i < headDim; i++)
        {
            var swapped = head[i < half ? i + half : i - half];
            result[i] = MathF.FusedMultiplyAdd(swapped, TElement.LoadOne(sin + i), head[i] * TElement.LoadOne(cos + i));
        }

        new Span<float>(result + headDim, (PartialRow.VectorWidth - (headDim % PartialRow.VectorWidth)) % PartialRow.VectorWidth).Clear();
    }
}
