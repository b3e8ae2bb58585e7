using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Passes;

/// <summary>Collects the integers that the passes of an iteration need and takes them to the device in one transfer.</summary>
internal sealed class IndexStage
{
    private readonly List<long> _values = [];
    private Tensor? _uploaded;

    /// <summary>Adds integers; the result is where <see cref="Slice"/> finds them after the upload.</summary>
    public (int Offset, int Count) Add(ReadOnlySpan<long> values)
    {
        var offset = _values.Count;
        _values.AddRange(values);
        return (offset, values.Length);
    }

    /// <summary>Takes everything to the device, into the caller's scope.</summary>
    public void Upload(Device device) => _uploaded = tensor(_values.ToArray(), dtype: ScalarType.Int64, device: device);

    /// <summary>What was added, on the device. <c>[count] i64</c></summary>
    public Tensor Slice((int Offset, int Count) range)
    {
        return (_uploaded ?? throw new InvalidOperationException("Indices are asked for before they were uploaded.")).narrow(
            0,
            range.Offset,
            range.Count
        );
    }
}
