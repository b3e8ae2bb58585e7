using System.Runtime.InteropServices;
using Dsde.Engine.Cpu.Memory;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>
/// A linear layer's weight as the kernels read it: in place, or a padded copy where its width is not a multiple of a step. Valid while the
/// layer's tensors live.
/// </summary>
/// <typeparam name="T">One number.</typeparam>
internal sealed unsafe class CpuMatrix<T> : IDisposable
    where T : unmanaged
{
    private const int StepWidth = 32;
    private const nuint Alignment = 64;

    private readonly void* _copy;

    /// <param name="weight"><c>[out, in]</c></param>
    /// <param name="bias"><c>[out]</c>; null without one.</param>
    public CpuMatrix(Tensor weight, Tensor? bias)
    {
        var shape = weight.shape;
        OutputCount = (int)shape[0];
        InputCount = (int)shape[1];
        Width = (InputCount + StepWidth - 1) / StepWidth * StepWidth;
        Rows = (T*)NativeTensor.Address(weight);
        if (Width != InputCount)
        {
            _copy = NativeMemory.AlignedAlloc((nuint)((long)OutputCount * Width * sizeof(T)), Alignment);
            CopyPadded(Rows, (T*)_copy);
            Rows = (T*)_copy;
        }

        HugePages.Advise(Rows, (long)OutputCount * Width * sizeof(T));
        if (bias is not null)
        {
            using var wide = bias.to(ScalarType.Float32);
            Bias = (float*)NativeMemory.Alloc((nuint)OutputCount, sizeof(float));
            new ReadOnlySpan<float>(NativeTensor.Address(wide), OutputCount).CopyTo(new Span<float>(Bias, OutputCount));
        }
    }

    /// <summary>First row; rows follow each other at <see cref="Width"/>.</summary>
    public T* Rows { get; }

    /// <summary>One number per row; null without a bias.</summary>
    public float* Bias { get; }

    /// <summary>Rows.</summary>
    public int OutputCount { get; }

    /// <summary>Numbers in a row that count.</summary>
    public int InputCount { get; }

    /// <summary>Numbers in a row, zeros at the end included.</summary>
    public int Width { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_copy);
        NativeMemory.Free(Bias);
    }

    private void CopyPadded(T* source, T* target)
    {
        for (var row = 0; row < OutputCount; row++)
        {
            var padded = new Span<T>(target + ((long)row * Width), Width);
            new ReadOnlySpan<T>(source + ((long)row * InputCount), InputCount).CopyTo(padded);
            padded[InputCount..].Clear();
        }
    }
}
