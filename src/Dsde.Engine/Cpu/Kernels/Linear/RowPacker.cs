using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Cpu.Threads;

namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>
/// Lays rows of activations out as tiles read them: <c>[tile][step][row]</c>, widened where the kernel multiplies fp32, with zeros behind
/// the last input. Items are tiles.
/// </summary>
internal sealed unsafe class RowPacker : ITeamWork, IDisposable
{
    private readonly NativeBuffer _packed = new();
    private KernelForm _form;
    private TilePlan _plan;
    private byte* _source;
    private byte* _target;
    private int _rowCount;
    private int _stepCount;
    private int _rowBytes;

    /// <summary>Packs some rows, or leaves a single one where it is if the kernel can read it there.</summary>
    /// <param name="team">Who does it.</param>
    /// <param name="form">Of the kernel that reads it.</param>
    /// <param name="plan">How the rows are cut into tiles.</param>
    /// <param name="weight">What it is multiplied with.</param>
    /// <param name="rows"><c>[count, in]</c> in the weight's type.</param>
    /// <param name="count">Rows.</param>
    /// <returns>The first tile; valid until the next call.</returns>
    public byte* Run(ThreadTeam team, KernelForm form, TilePlan plan, PackedWeight weight, void* rows, int count)
    {
        _rowBytes = weight.InputCount * weight.ElementSize;
        _stepCount = weight.StepCount;
        var isWidened = form.Weights == WeightForm.Bf16Widened;
        if (count == 1 && !isWidened && _rowBytes == _stepCount * sizeof(uint))
        {
            return (byte*)rows;
        }

        (_form, _plan) = (form, plan);
        _source = (byte*)rows;
        _target = _packed.Items<byte>((long)count * _stepCount * form.StepBytes);
        _rowCount = count;
        team.Run(this, plan.CountTiles(count), WorkSize.IsWorthSharing((long)count * _stepCount));
        return _target;
    }

    /// <inheritdoc/>
    public void Dispose() => _packed.Dispose();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int item)
    {
        var (first, end) = (_plan.FirstRow(item, _rowCount), _plan.FirstRow(item + 1, _rowCount));
        var target = _target + ((long)first * _stepCount * _form.StepBytes);
        var source = _source + ((long)first * _rowBytes);
        var isWidened = _form.Weights == WeightForm.Bf16Widened;
        var count = end - first;
        var row = 0;
        for (; !isWidened && row <= count - 4; row += 4)
        {
            PackFour(source + (row * (long)_rowBytes), (uint*)target + row, count);
        }

        for (; row < count; row++)
        {
            if (isWidened)
            {
                PackWidened(source + (row * (long)_rowBytes), (ulong*)target + row, count);
            }
            else
            {
                PackOne(source + (row * (long)_rowBytes), (uint*)target + row, count, first: 0);
            }
        }
    }

    /// <summary>Four rows: four steps of each are turned over in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackFour(byte* source, uint* target, int stride)
    {
        uint* a = (uint*)source,
            b = (uint*)(source + _rowBytes),
            c = (uint*)(source + (2L * _rowBytes)),
            d = (uint*)(source + (3L * _rowBytes));
        var step = 0;
        for (; step <= (_rowBytes / sizeof(uint)) - 4; step += 4)
        {
            var (va, vb) = (Vector128.Load(a + step), Vector128.Load(b + step));
            var (vc, vd) = (Vector128.Load(c + step), Vector128.Load(d + step));
            var (abLow, cdLow) = (
                Vector128.WidenLower(va) | (Vector128.WidenLower(vb) << 32),
                Vector128.WidenLower(vc) | (Vector128.WidenLower(vd) << 32)
            );
            var (abHigh, cdHigh) = (
                Vector128.WidenUpper(va) | (Vector128.WidenUpper(vb) << 32),
                Vector128.WidenUpper(vc) | (Vector128.WidenUpper(vd) << 32)
            );
            var to = target + ((long)step * stride);
            Vector128.Create(abLow.GetElement(0), cdLow.GetElement(0)).AsUInt32().Store(to);
            Vector128.Create(abLow.GetElement(1), cdLow.GetElement(1)).AsUInt32().Store(to + stride);
            Vector128.Create(abHigh.GetElement(0), cdHigh.GetElement(0)).AsUInt32().Store(to + (2L * stride));
            Vector128.Create(abHigh.GetElement(1), cdHigh.GetElement(1)).AsUInt32().Store(to + (3L * stride));
        }

        for (var row = 0; row < 4; row++)
        {
            PackOne(source + ((long)row * _rowBytes), target + row, stride, step);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackOne(byte* source, uint* target, int stride, int first)
    {
        var whole = _rowBytes / sizeof(uint);
        for (var step = first; step < whole; step++)
        {
            target[(long)step * stride] = ((uint*)source)[step];
        }

        for (var step = whole; step < _stepCount; step++)
        {
            var isHalf = step == whole && _rowBytes % sizeof(uint) != 0;
            target[(long)step * stride] = isHalf ? *(ushort*)(source + (step * sizeof(uint))) : 0u;
        }
    }

    /// <summary>Both halves of a pair, one after the other, each followed by zeros: bf16 is the upper half of fp32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackWidened(byte* source, ulong* target, int stride)
    {
        var whole = _rowBytes / sizeof(uint);
        for (var step = 0; step < _stepCount; step++)
        {
            var pair =
                step < whole ? ((uint*)source)[step]
                : step == whole && _rowBytes % sizeof(uint) != 0 ? *(ushort*)(source + (step * sizeof(uint)))
                : 0u;
            target[(long)step * stride] = ((ulong)(pair & 0xFFFF_0000) << 32) | (pair << 16);
        }
    }
}
