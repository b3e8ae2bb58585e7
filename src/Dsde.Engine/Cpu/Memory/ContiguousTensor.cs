using static TorchSharp.torch;

namespace Dsde.Engine.Cpu.Memory;

/// <summary>A tensor's numbers in one piece: its own, or those of a copy that lives as long as this.</summary>
internal readonly ref struct ContiguousTensor
{
    private readonly Tensor _tensor;
    private readonly bool _isCopy;

    public ContiguousTensor(Tensor tensor)
    {
        _isCopy = !tensor.is_contiguous();
        _tensor = _isCopy ? tensor.contiguous() : tensor;
    }

    /// <summary>The first number.</summary>
    public unsafe T* Address<T>()
        where T : unmanaged => (T*)NativeTensor.Address(_tensor);

    /// <summary>Frees the copy, if there is one.</summary>
    public void Dispose()
    {
        if (_isCopy)
        {
            _tensor.Dispose();
        }
    }
}
