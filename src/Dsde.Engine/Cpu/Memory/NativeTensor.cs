using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Dsde.Engine.Cpu.Memory;

/// <summary>The memory of tensors.</summary>
internal static unsafe partial class NativeTensor
{
    /// <summary>
    /// First element of a contiguous tensor in host memory; valid while the tensor lives. TorchSharp's own accessors are spans, which end
    /// at 2 GB, and objects, of which a pass would make hundreds.
    /// </summary>
    public static void* Address(Tensor tensor)
    {
        return (void*)Data(tensor.Handle);
    }

    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    private static partial nint Data(nint tensor);
}
