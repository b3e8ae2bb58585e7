using static TorchSharp.torch;

namespace Dsde.Engine.Models.Passes;

/// <summary>
/// The rows of a pass on the device at work. Devices are told apart as objects, so that asking costs nothing per layer; a copy is made
/// where the layers pass to another one, in the scope of the pass.
/// </summary>
internal sealed class DevicePasses : IDisposable
{
    private readonly PassRows _rows;
    private readonly Device _first;
    private Device _device;

    /// <param name="rows">The rows, on the first device. Owned from here on.</param>
    /// <param name="first">Where they are.</param>
    public DevicePasses(PassRows rows, Device first)
    {
        _rows = rows;
        _first = first;
        _device = first;
        Current = rows;
    }

    /// <summary>The rows on the device reached.</summary>
    public PassRows Current { get; private set; }

    /// <summary>Goes on to a layer's device, with the hidden rows. Devices come in the order of the layers. <c>[R, H]</c></summary>
    public Tensor GoOn(Device device, Tensor hidden)
    {
        if (ReferenceEquals(device, _device))
        {
            return hidden;
        }

        var next = Current.CopyTo(device);
        DisposeCopy();
        (Current, _device) = (next, device);
        return hidden.to(device);
    }

    /// <summary>Brings a result back to where the rows came from.</summary>
    public Tensor Return(Tensor result) => ReferenceEquals(_device, _first) ? result : result.to(_first);

    /// <inheritdoc/>
    public void Dispose()
    {
        DisposeCopy();
        _rows.Dispose();
    }

    private void DisposeCopy()
    {
        if (Current != _rows)
        {
            Current.Dispose();
        }
    }
}
