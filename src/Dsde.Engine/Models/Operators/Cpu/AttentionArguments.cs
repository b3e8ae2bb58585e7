using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Kv;
using Dsde.Engine.Models.Passes;

namespace Dsde.Engine.Models.Operators.Cpu;

/// <summary>What one attention reads and writes. Legend as in <see cref="PassRows"/> and <see cref="AttentionShape"/>.</summary>
/// <typeparam name="T">One number.</typeparam>
internal unsafe struct AttentionArguments<T>
    where T : unmanaged
{
    /// <summary>Queries, keys and values side by side. <c>[R, (h + 2g)·d]</c></summary>
    public T* Qkv;

    /// <summary>The layer's cache, heads as in <see cref="KeptHead{T}"/>. <c>[places, w]</c></summary>
    public T* Keys;

    /// <summary>Shape as <see cref="Keys"/>.</summary>
    public T* Values;

    /// <summary>Which blocks hold which positions.</summary>
    public BlockTable Table;

    /// <summary>cos of each position's angles. <c>[positions, d]</c></summary>
    public T* Cos;

    /// <summary>sin of each position's angles, negated in the first half. <c>[positions, d]</c></summary>
    public T* Sin;

    /// <summary>Norm of the query heads, <c>[d]</c>; null without one.</summary>
    public T* QueryNorm;

    /// <summary>Norm of the key heads, <c>[d]</c>; null without one.</summary>
    public T* KeyNorm;

    /// <summary><c>[R, h·d]</c></summary>
    public T* Result;
}
