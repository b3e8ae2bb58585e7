using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dsde.Engine.Cpu.Threads;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>Root-mean-square normalisation. Items are rows.</summary>
internal sealed unsafe class NormWork<T, TElement> : ITeamWork
    where T : unmanaged
    where TElement : IElement<T>
{
    private T* _x;
    private float* _weight;
    private T* _result;
    private int _width;
    private float _eps;

    /// <summary>
    /// Normalises rows. <paramref name="x"/> and <paramref name="result"/>, which may be the same: <c>[R, width]</c>,
    /// <paramref name="weight"/>: <c>[width] f32</c>.
    /// </summary>
    public void Run(ThreadTeam team, T* x, float* weight, T* result, int rowCount, int width, double eps)
    {
        _x = x;
        _weight = weight;
        _result = result;
        _width = width;
        _eps = (float)eps;
        team.Run(this, rowCount, WorkSize.IsWorthSharing((long)rowCount * width));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int item)
    {
        var x = _x + ((long)item * _width);
        var result = _result + ((long)item * _width);
        var scale = Vector512.Create(InverseRootMeanSquare(x, _width, _eps));
        for (var i = 0; i < _width; i += PartialRow.VectorWidth)
        {
            var left = _width - i;
            var normed = PartialRow.Load<T, TElement>(x + i, left) * scale * PartialRow.Load<float, Fp32Element>(_weight + i, left);
            PartialRow.Store<T, TElement>(result + i, normed, left);
        }
    }

    /// <summary>1 / √(mean of squares + eps).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float InverseRootMeanSquare(T* x, int width, float eps)
    {
        var sum = Vector512<float>.Zero;
        for (var i = 0; i < width; i += PartialRow.VectorWidth)
        {
            var values = PartialRow.Load<T, TElement>(x + i, width - i);
            sum = Vector512.FusedMultiplyAdd(values, values, sum);
        }

        return 1 / MathF.Sqrt((Vector512.Sum(sum) / width) + eps);
    }
}
