using System.Runtime.CompilerServices;
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
    public void Run(int item)
    {
        var (first, end) = (_plan.FirstRow(item, _rowCount), _plan.FirstRow(item + 1, _rowCount));
        var target = _target + ((long)first * _stepCount * _form.StepBytes);
        var source = _source + ((long)first * _rowBytes);
        var count = end - first;
        if (_form.Weights == WeightForm.Bf16Widened)
        {
            for (var row = 0; row < count; row++)
            {
                PackWidened(source + (row * (long)_rowBytes), (ulong*)target + row, count);
            }
        }
        else
        {
            Pack(source, (uint*)target, count);
        }
    }

    private void Pack(byte* source, uint* target, int count)
    {
        var whole = _rowBytes / sizeof(uint);
        StepTurner.Run(source, _rowBytes, count, whole, target, count);
        for (var row = 0; row < count && whole < _stepCount; row++)
        {
            var rest = _rowBytes % sizeof(uint) == 0 ? 0u : *(ushort*)(source + (row * (long)_rowBytes) + (whole * sizeof(uint)));
            for (var step = whole; step < _stepCount; step++, rest = 0)
            {
                target[((long)step * count) + row] = rest;
            }
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
