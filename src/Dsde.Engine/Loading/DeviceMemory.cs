using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Loading;

/// <summary>How much memory devices have.</summary>
internal static class DeviceMemory
{
    private const string LinuxMemory = "/proc/meminfo";

    /// <summary>Bytes of the machine, or of the container the program runs in.</summary>
    public static long OfMachine => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Bytes that can be had now of devices that share a model evenly; null where that can't be told.</summary>
    public static long? FindAvailable(IReadOnlyList<Device> devices)
    {
        var free = devices
            .Where(device => device.type != DeviceType.CPU)
            .Select(device => device.index)
            .Distinct()
            .Select(CudaMemory.FindFree)
            .ToList();
        return free.Count == 0 ? OfProcessor() : free.Min() * free.Count; // null if one is
    }

    /// <summary>
    /// The line of Linux that says what programs can still have without others having to make room; null if there is none.
    /// </summary>
    public static long? ParseAvailable(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            if (
                line.Split([':', ' '], StringSplitOptions.RemoveEmptyEntries) is ["MemAvailable", var number, "kB"]
                && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var kilobytes)
            )
            {
                return kilobytes << 10;
            }
        }

        return null;
    }

    /// <summary>A container's limit is in the one number, and what other programs have taken in the other.</summary>
    private static long OfProcessor() =>
        File.Exists(LinuxMemory) && ParseAvailable(File.ReadLines(LinuxMemory)) is { } available
            ? Math.Min(available, OfMachine)
            : OfMachine;
}
