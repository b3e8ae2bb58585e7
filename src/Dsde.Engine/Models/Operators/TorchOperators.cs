using Dsde.Engine.Models.Operators.Attention;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators;

/// <summary>Chooses among the operators on torch.</summary>
internal static class TorchOperators
{
    /// <summary>Those for a device.</summary>
    /// <param name="device">Where they compute.</param>
    /// <param name="isDeterministic">Whether a row's results must be bitwise independent of the rows beside it.</param>
    public static IDecoderOps Create(Device device, bool isDeterministic)
    {
        if (isDeterministic)
        {
            return new FixedShapeOps();
        }

        return device.type == DeviceType.CUDA ? new TorchOps(new FlashAttention()) : new TorchOps();
    }
}
