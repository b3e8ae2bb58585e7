using System.Runtime.InteropServices;

namespace Dsde.Engine.Loading;

/// <summary>The free memory of NVIDIA GPUs, from the driver: TorchSharp has no call for it. Compiled anywhere, never run yet.</summary>
internal static partial class CudaMemory
{
    private const string Driver = "libcuda.so.1";

    /// <summary>Free bytes of a GPU; null if the driver doesn't say.</summary>
    /// <param name="index">The GPU, counted from 0 as torch counts.</param>
    public static long? FindFree(int index)
    {
        try
        {
            return Initialize(0) == 0 && GetDevice(out var device, Math.Max(0, index)) == 0 && RetainContext(out var context, device) == 0
                ? FindFree(context, device)
                : null;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    private static long? FindFree(nint context, int device)
    {
        try
        {
            if (PushContext(context) != 0)
            {
                return null;
            }

            var result = GetMemory(out var free, out _);
            _ = PopContext(out _);
            return result == 0 ? (long)free : null;
        }
        finally
        {
            _ = ReleaseContext(device);
        }
    }

    [LibraryImport(Driver, EntryPoint = "cuInit")]
    private static partial int Initialize(uint flags);

    [LibraryImport(Driver, EntryPoint = "cuDeviceGet")]
    private static partial int GetDevice(out int device, int ordinal);

    [LibraryImport(Driver, EntryPoint = "cuDevicePrimaryCtxRetain")]
    private static partial int RetainContext(out nint context, int device);

    [LibraryImport(Driver, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    private static partial int ReleaseContext(int device);

    [LibraryImport(Driver, EntryPoint = "cuCtxPushCurrent_v2")]
    private static partial int PushContext(nint context);

    [LibraryImport(Driver, EntryPoint = "cuCtxPopCurrent_v2")]
    private static partial int PopContext(out nint context);

    [LibraryImport(Driver, EntryPoint = "cuMemGetInfo_v2")]
    private static partial int GetMemory(out nuint free, out nuint total);
}
