using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>Packs everything an iteration has to tell into one device → host transfer. Token ids are exact in a float up to 2²⁴.</summary>
internal sealed class HostTransfer
{
    private readonly List<Tensor> _parts = [];
    private float[] _values = [];
    private int _length;

    /// <summary>Adds a vector; the result is where it will be found. Any type; <c>[n]</c>.</summary>
    public Range Add(Tensor vector)
    {
        _parts.Add(vector.to(ScalarType.Float32));
        var start = _length;
        _length += (int)vector.shape[0];
        return start.._length;
    }

    /// <summary>The transfer. What is not on the host yet is waited for here and nowhere else.</summary>
    public void Run()
    {
        using var scope = NewDisposeScope();
        _values = cat(_parts).cpu().data<float>().ToArray();
    }

    /// <summary>A vector, after the transfer.</summary>
    public ReadOnlySpan<float> this[Range range] => _values.AsSpan(range);
}
