using System.Runtime.CompilerServices;
using Dsde.Engine.Cpu.Threads;

namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>Packs rows of a weight. Items are runs of as many rows as a block has.</summary>
internal sealed unsafe class WeightPacker : ITeamWork
{
    private const int Lanes = PackedWeight.BlockWidth;

    private PackedWeight? _weight;
    private byte* _rows;
    private int _first;
    private int _count;

    /// <summary>Packs some rows.</summary>
    /// <param name="team">Who does it.</param>
    /// <param name="weight">Where they go.</param>
    /// <param name="rows"><c>[count, in]</c> in the weight's type.</param>
    /// <param name="first">Output of the first row.</param>
    /// <param name="count">Rows.</param>
    public void Run(ThreadTeam team, PackedWeight weight, void* rows, int first, int count)
    {
        _weight = weight;
        _rows = (byte*)rows;
        _first = first;
        _count = count;
        team.Run(this, (count + Lanes - 1) / Lanes, WorkSize.IsWorthSharing((long)count * weight.InputCount));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int item)
    {
        var weight = _weight!; // set before any item runs
        var (first, count) = (item * Lanes, Math.Min(Lanes, _count - (item * Lanes)));
        var sources = stackalloc byte*[Lanes];
        var targets = stackalloc uint*[Lanes];
        var rowBytes = (long)weight.InputCount * weight.ElementSize;
        for (var i = 0; i < count; i++)
        {
            sources[i] = _rows + ((first + i) * rowBytes);
            targets[i] = weight.FirstStep(_first + first + i);
        }

        var whole = (int)(rowBytes / sizeof(uint));
        for (var step = 0; step < whole; step++)
        {
            for (var i = 0; i < count; i++)
            {
                targets[i][step * Lanes] = ((uint*)sources[i])[step];
            }
        }

        for (var i = 0; i < count; i++)
        {
            for (var step = whole; step < weight.StepCount; step++)
            {
                var isHalf = step == whole && rowBytes % sizeof(uint) != 0;
                targets[i][step * Lanes] = isHalf ? *(ushort*)(sources[i] + (step * sizeof(uint))) : 0u;
            }
        }
    }

    /// <summary>Gives a row back as it was. <paramref name="target"/>: <c>[in]</c> in the weight's type.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack(PackedWeight weight, int output, void* target)
    {
        var source = weight.FirstStep(output);
        var bytes = (long)weight.InputCount * weight.ElementSize;
        var whole = (int)(bytes / sizeof(uint));
        for (var step = 0; step < whole; step++)
        {
            ((uint*)target)[step] = source[step * Lanes];
        }

        if (bytes % sizeof(uint) != 0)
        {
            ((ushort*)target)[2 * whole] = (ushort)source[whole * Lanes];
        }
    }
}
