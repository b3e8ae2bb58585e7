using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Loading;

/// <summary>Where the engine computes and in which type, once <c>auto</c> is decided.</summary>
/// <param name="Device">The device.</param>
/// <param name="Type">Type of weights and activations.</param>
internal readonly record struct ComputeSettings(Device Device, ScalarType Type)
{
    private const string Auto = "auto";

    /// <summary>Name of the type as options and telemetry say it.</summary>
    public string TypeName => Type == ScalarType.BFloat16 ? "bf16" : "fp32";

    /// <summary>Decides.</summary>
    /// <exception cref="ModelLoadException">A GPU is asked for that is not there.</exception>
    public static ComputeSettings Choose(EngineOptions options)
    {
        var device = ChooseDevice(options.Device);
        return new ComputeSettings(device, ChooseType(options.DataType, device));
    }

    private static Device ChooseDevice(string wanted)
    {
        if (wanted == "cpu")
        {
            return CPU;
        }

        if (!cuda.is_available())
        {
            return wanted == Auto
                ? CPU
                : throw new ModelLoadException($"Device '{wanted}' is asked for, but no CUDA device can be used. Use cpu or auto, or run a build with Accelerator=cuda on a machine with an NVIDIA driver.");
        }

        var index = wanted.StartsWith("cuda:", StringComparison.Ordinal) ? int.Parse(wanted.AsSpan(5), CultureInfo.InvariantCulture) : 0;
        return index < cuda.device_count()
            ? new Device(DeviceType.CUDA, index)
            : throw new ModelLoadException($"Device '{wanted}' is asked for, but there are only {cuda.device_count()} CUDA devices, counted from 0.");
    }

    private static ScalarType ChooseType(string wanted, Device device) => wanted switch
    {
        "bf16" => ScalarType.BFloat16,
        "fp32" => ScalarType.Float32,
        _ => device.type == DeviceType.CUDA ? ScalarType.BFloat16 : ScalarType.Float32,
    };
}
