using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models;

/// <summary>One rotary table per device that has layers.</summary>
internal sealed class RotaryTables(ModelConfig config, int positions, ScalarType type) : IDisposable
{
    private readonly Dictionary<Device, RotaryTable> _tables = new(ReferenceEqualityComparer.Instance);

    /// <summary>The table on a device, made when first asked for.</summary>
    public RotaryTable On(Device device)
    {
        if (!_tables.TryGetValue(device, out var table))
        {
            table = new RotaryTable(config.HeadDim, config.RopeTheta, positions, type, device, config.RopeScaling);
            _tables.Add(device, table);
        }

        return table;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var table in _tables.Values)
        {
            table.Dispose();
        }
    }
}
