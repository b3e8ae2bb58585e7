using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Models.Operators.Cpu;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators;

/// <summary>Chooses the operators of a decoder.</summary>
internal static class DecoderOperators
{
    /// <summary>
    /// Operators for a type on a device: on a processor those of its vector units, which are deterministic by themselves, and torch
    /// elsewhere, where the processor has none that are known here, and where that is asked for.
    /// </summary>
    /// <param name="type">Type of weights and activations.</param>
    /// <param name="device">Where they compute.</param>
    /// <param name="isDeterministic">Whether a row's results must be bitwise independent of the rows beside it.</param>
    /// <param name="kernels">What multiplies on a processor.</param>
    public static IDecoderOps Create(ScalarType type, Device device, bool isDeterministic, KernelChoice kernels) =>
        (kernels.Kernel, type) switch
        {
            (LinearKernel kernel, ScalarType.BFloat16) when device.type == DeviceType.CPU => new CpuOps<ushort, Bf16Element>(
                get_num_threads(),
                kernel
            ),
            (LinearKernel kernel, ScalarType.Float32) when device.type == DeviceType.CPU => new CpuOps<float, Fp32Element>(
                get_num_threads(),
                kernel
            ),
            _ => TorchOperators.Create(device, isDeterministic),
        };
}
