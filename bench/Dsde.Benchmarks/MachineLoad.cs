using System.Diagnostics;
using System.Globalization;

namespace Dsde.Benchmarks;

/// <summary>What else the machine did while something was measured.</summary>
/// <param name="CoreCount">Cores.</param>
/// <param name="OwnCores">Cores that this process kept busy, on average.</param>
/// <param name="OtherCores">Cores that other processes kept busy.</param>
/// <param name="StolenCores">Cores that the hypervisor gave to other machines.</param>
internal sealed record MachineLoad(int CoreCount, double OwnCores, double OtherCores, double StolenCores)
{
    private const double FewCores = 0.1;

    /// <summary>
    /// Whether others are likely to have slowed what was measured: they worked, and there were hardly any cores left for them to do it on.
    /// </summary>
    public bool IsBusy => StolenCores > FewCores / 2 || (OtherCores > FewCores && OwnCores + OtherCores > CoreCount - (2 * FewCores));

    /// <summary>In words.</summary>
    public override string ToString()
    {
        var others = string.Create(
            CultureInfo.InvariantCulture,
            $"other processes used {OtherCores:F2} of {CoreCount} "
                + $"cores{(StolenCores >= 0.005 ? $", {StolenCores:F2} were stolen by the host" : "")}"
        );
        return IsBusy
            ? $"The machine was BUSY: {others}. Ratios are better to trust than times; repeat on an idle machine."
            : $"The machine was quiet: {others}.";
    }

    /// <summary>Starts watching; null where the system does not say.</summary>
    public static Watch? TryStart(TimeProvider time) => ReadTicks() is { } ticks ? new Watch(time, ticks) : null;

    /// <summary>Name of the CPU type; null where the system does not say.</summary>
    public static string? ReadCpuName() =>
        File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo")
                .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
                ?.Split(':', 2)[^1]
                .Trim()
            : null;

    /// <summary>Ticks (1/100 s) of all cores: user, nice, system, idle, iowait, irq, softirq, steal.</summary>
    private static (long Busy, long Stolen)? ReadTicks()
    {
        if (!File.Exists("/proc/stat"))
        {
            return null;
        }

        var ticks = File.ReadLines("/proc/stat")
            .First()
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..]
            .Select(text => long.Parse(text, CultureInfo.InvariantCulture))
            .ToArray();
        return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6], ticks.Length > 7 ? ticks[7] : 0);
    }

    private static TimeSpan ReadOwnTime()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime;
    }

    /// <summary>A span of time being watched.</summary>
    internal sealed class Watch(TimeProvider time, (long Busy, long Stolen) first)
    {
        private const double TicksPerSecond = 100;
        private readonly long _start = time.GetTimestamp();
        private readonly TimeSpan _ownFirst = ReadOwnTime();

        /// <summary>The load since the start.</summary>
        public MachineLoad Read()
        {
            var seconds = Math.Max(1e-3, time.GetElapsedTime(_start).TotalSeconds);
            var last = ReadTicks() ?? first;
            var own = (ReadOwnTime() - _ownFirst).TotalSeconds / seconds;
            return new MachineLoad(
                Environment.ProcessorCount,
                own,
                Math.Clamp(((last.Busy - first.Busy) / TicksPerSecond / seconds) - own, 0, Environment.ProcessorCount),
                (last.Stolen - first.Stolen) / TicksPerSecond / seconds
            );
        }
    }
}
