using System.Runtime.InteropServices;

namespace Dsde.Engine.Cpu.Memory;

/// <summary>Scratch memory that grows to what was asked for most, and is used again and again.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private const nuint Alignment = 64;

    private void* _memory;
    private nuint _capacity;

    /// <summary>At least so many floats; what they hold is left from before, zeros at first.</summary>
    public float* Floats(long count) => Items<float>(count);

    /// <summary>At least so many numbers; what they hold is left from before, zeros at first.</summary>
    public T* Items<T>(long count)
        where T : unmanaged
    {
        var size = (nuint)(count * sizeof(T));
        if (size > _capacity)
        {
            Dispose(); // and forgotten, should there be no memory for the next
            _memory = NativeMemory.AlignedAlloc(size, Alignment);
            NativeMemory.Clear(_memory, size);
            _capacity = size;
        }

        return (T*)_memory;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        _capacity = 0;
    }
}
