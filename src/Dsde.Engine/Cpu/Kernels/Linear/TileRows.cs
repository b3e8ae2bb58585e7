using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>Lays rows of fp32 numbers out as the activations of a tile.</summary>
internal static unsafe class TileRows
{
    /// <summary>Lays out the rows of one tile: <c>[step][row]</c>.</summary>
    /// <param name="form">Of the kernel that reads them; for products of pairs numbers are rounded to bf16.</param>
    /// <param name="source">The first row.</param>
    /// <param name="stride">Numbers from row to row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="numbers">Numbers of each; a multiple of 16.</param>
    /// <param name="target">Room for as many steps, and at least for as many bytes again behind them.</param>
    public static void Pack(KernelForm form, float* source, int stride, int rows, int numbers, void* target)
    {
        switch (form.Weights)
        {
            case WeightForm.Bf16Pairs:
                var narrow = (ushort*)target + (rows * numbers);
                Narrow(source, stride, rows, numbers, narrow);
                StepTurner.Run(narrow, numbers * sizeof(ushort), rows, numbers / 2, (uint*)target, rows);
                break;
            case WeightForm.Fp32:
                StepTurner.Run(source, stride * sizeof(float), rows, numbers, (uint*)target, rows);
                break;
            default:
                PackPairs(source, stride, rows, numbers, (ulong*)target);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow(float* source, int stride, int rows, int numbers, ushort* target)
    {
        for (var row = 0; row < rows; row++, source += stride, target += numbers)
        {
            for (var i = 0; i < numbers; i += PartialRow.VectorWidth)
            {
                Bf16Element.Store(target + i, Vector512.Load(source + i));
            }
        }
    }

    /// <summary>Two numbers are a step: those that a pair of bf16, widened, is multiplied with.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackPairs(float* source, int stride, int rows, int numbers, ulong* target)
    {
        for (var row = 0; row < rows; row++, source += stride)
        {
            var pairs = (ulong*)source;
            for (var step = 0; step < numbers / 2; step++)
            {
                target[(step * rows) + row] = pairs[step];
            }
        }
    }
}
