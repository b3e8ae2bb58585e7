using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dsde.Engine.Cpu.Threads;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>Widens activations to fp32 once, in the order the kernels read them, with zeros up to whole steps. Items are rows.</summary>
internal sealed unsafe class WidenWork<T, TElement> : ITeamWork
    where T : unmanaged
    where TElement : IElement<T>
{
    private const int StepWidth = DotTile<T, TElement>.StepWidth;

    /// <summary>Rows of <see cref="InputCount"/> numbers.</summary>
    public T* Source { get; set; }

    /// <summary>Rows of <see cref="Width"/> numbers.</summary>
    public float* Target { get; set; }

    /// <summary>Numbers in a row.</summary>
    public int InputCount { get; set; }

    /// <summary>The same in whole steps.</summary>
    public int Width { get; set; }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int item)
    {
        var source = Source + ((long)item * InputCount);
        var target = Target + ((long)item * Width);
        var whole = InputCount / StepWidth * StepWidth;
        for (var i = 0; i < whole; i += StepWidth)
        {
            WidenStep(source + i, target + i);
        }

        if (whole < InputCount)
        {
            var end = stackalloc T[StepWidth];
            new Span<T>(end, StepWidth).Clear();
            new ReadOnlySpan<T>(source + whole, InputCount - whole).CopyTo(new Span<T>(end, StepWidth));
            WidenStep(end, target + whole);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WidenStep(T* source, float* target)
    {
        Vector512.Store(TElement.LoadFirst(source), target);
        Vector512.Store(TElement.LoadSecond(source), target + (StepWidth / 2));
    }
}
