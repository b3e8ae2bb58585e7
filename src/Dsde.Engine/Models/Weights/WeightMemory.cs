using Dsde.Engine.Cpu.Memory;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Weights;

/// <summary>
/// Memory for the weights of linear layers, side by side in large pieces that the system may keep in huge pages: a weight by itself often
/// holds no whole huge page, and a file's pages are small. Weights on other devices are left to those.
/// </summary>
/// <param name="type">Type of the weights.</param>
internal sealed class WeightMemory(ScalarType type) : IDisposable
{
    private const long PieceBytes = 64L << 20;
    private const long Alignment = 64; // bytes

    private Tensor? _piece; // [elements]; untouched parts take no memory
    private long _used;

    /// <summary>
    /// Rows one below the other, copied on the CPU if there are several pieces of them or if they may lie in a file. In the caller's scope.
    /// </summary>
    /// <param name="parts">At least one, all with equally long rows and on one device. <c>[out_i, in]</c></param>
    public Tensor Stack(params ReadOnlySpan<Tensor> parts)
    {
        if (parts[0].device_type != DeviceType.CPU)
        {
            return parts.Length == 1 ? parts[0] : cat(parts.ToArray());
        }

        var (rows, width) = (0L, parts[0].shape[1]);
        foreach (var part in parts)
        {
            rows += part.shape[0];
        }

        using var scope = NewDisposeScope();
        var stacked = Take(rows * width).view(rows, width);
        var first = 0L;
        foreach (var part in parts)
        {
            stacked.narrow(0, first, part.shape[0]).copy_(part);
            first += part.shape[0];
        }

        return stacked.MoveToOuterDisposeScope();
    }

    /// <summary>Gives up the room that is left; what was stacked keeps its memory.</summary>
    public void Dispose() => _piece?.Dispose();

    /// <summary>Room for some numbers. <c>[count]</c></summary>
    private Tensor Take(long count)
    {
        if (_piece is null || _used + count > _piece.NumberOfElements)
        {
            _piece?.Dispose(); // what was stacked keeps its memory
            _piece = empty([Math.Max(count, PieceBytes / type.ElementSize())], type).DetachFromDisposeScope();
            _used = 0;
            HugePages.Prefer(_piece);
        }

        var taken = _piece.narrow(0, _used, count);
        var step = Alignment / type.ElementSize();
        _used = (_used + count + step - 1) / step * step;
        return taken;
    }
}
