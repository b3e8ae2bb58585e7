using Dsde.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Loading;

/// <summary>How many threads share a matrix product.</summary>
internal static class ThreadSettings
{
    /// <summary>
    /// Below this many parameters handing work to a second thread costs more than it gains. Measured on 2 cores, 8 sequences: with 4
    /// million parameters one thread takes 0.65 of the time of two, with 38 million 1.0 (fp32) to 1.3 (bf16).
    /// </summary>
    private const long FewParameters = 16_000_000;

    /// <summary>Sets the number, for the whole process: as asked, or by the size of the target.</summary>
    /// <exception cref="ModelLoadException">The target's folder can't be read.</exception>
    public static void Apply(EngineOptions options, Device device)
    {
        if (options.Threads > 0)
        {
            set_num_threads(options.Threads);
        }
        else if (device.type == DeviceType.CPU)
        {
            set_num_threads(ModelFolder.Open(options.Target).ParameterCount < FewParameters ? 1 : Environment.ProcessorCount);
        }
    }
}
