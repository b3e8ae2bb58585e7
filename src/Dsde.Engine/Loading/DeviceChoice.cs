using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Loading;

/// <summary>Turns what an option says into devices.</summary>
internal static class DeviceChoice
{
    private const string Auto = "auto";
    private const string Cpu = "cpu";

    /// <summary>The devices, in the order in which layers go onto them.</summary>
    /// <param name="wanted"><c>auto</c>, or a list of <c>cpu</c>, <c>cuda</c> and <c>cuda:N</c> with commas between.</param>
    /// <exception cref="ModelLoadException">A GPU is asked for that is not there, or one and the same twice.</exception>
    public static IReadOnlyList<Device> Choose(string wanted)
    {
        var names = wanted.Split(',');
        var gpus = names.Where(name => name is not (Cpu or Auto)).Select(Index).ToList();
        if (gpus.Distinct().Count() < gpus.Count)
        {
            throw new ModelLoadException($"Device '{wanted}' names a GPU twice.");
        }

        // Each entry becomes an object of its own: layers that are split over entries walk from one to the next, even on one processor.
        return [.. names.Select(name => Find(name, wanted))];
    }

    private static Device Find(string name, string wanted)
    {
        if (name == Cpu || (name == Auto && !cuda.is_available()))
        {
            return new Device(DeviceType.CPU);
        }

        if (!cuda.is_available())
        {
            throw new ModelLoadException(
                $"Device '{wanted}' is asked for, but no CUDA device can be used. Use cpu or auto, or run a build with "
                    + "Accelerator=cuda on a machine with an NVIDIA driver."
            );
        }

        var index = Index(name);
        return index < cuda.device_count()
            ? new Device(DeviceType.CUDA, index)
            : throw new ModelLoadException(
                $"Device '{wanted}' is asked for, but there are only {cuda.device_count()} CUDA devices, counted from 0."
            );
    }

    private static int Index(string name) => name.Split(':') is [_, var number] ? int.Parse(number, CultureInfo.InvariantCulture) : 0;
}
