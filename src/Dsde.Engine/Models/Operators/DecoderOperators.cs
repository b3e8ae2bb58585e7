using System.Runtime.Intrinsics;
using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Models.Operators.Cpu;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators;

/// <summary>Chooses the operators of a decoder.</summary>
internal static class DecoderOperators
{
    /// <summary>
    /// Operators for a type on a device: the vector units' own on processors with 512-bit vectors, and wherever results must not depend on
    /// the batch (correct on any processor, if slower than torch on those with shorter vectors); torch otherwise, and for fp16, which only
    /// GPUs compute in.
    /// </summary>
    public static IDecoderOps Create(ScalarType type, Device device, bool isDeterministic)
    {
        if (device.type != DeviceType.CPU || (!isDeterministic && !Vector512.IsHardwareAccelerated))
        {
            return TorchOperators.Create(device, isDeterministic);
        }

        return type switch
        {
            ScalarType.BFloat16 => new CpuOps<ushort, Bf16Element>(get_num_threads(), isDeterministic),
            ScalarType.Float32 => new CpuOps<float, Fp32Element>(get_num_threads(), isDeterministic),
            _ => TorchOperators.Create(device, isDeterministic),
        };
    }
}
