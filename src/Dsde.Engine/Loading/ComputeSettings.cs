using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Loading;

/// <summary>Where the engine computes and in which type, once <c>auto</c> is decided.</summary>
/// <param name="Devices">The devices the target's layers are spread over, in order.</param>
/// <param name="Type">Type of weights and activations.</param>
internal sealed record ComputeSettings(IReadOnlyList<Device> Devices, ScalarType Type)
{
    /// <summary>The device of the draft, of all sampling and of everything a pass begins with.</summary>
    public Device Device => Devices[0];

    /// <summary>Name of the type as options and telemetry say it.</summary>
    public string TypeName =>
        Type switch
        {
            ScalarType.BFloat16 => "bf16",
            ScalarType.Float16 => "fp16",
            _ => "fp32",
        };

    /// <summary>Names of the devices as options and telemetry say them.</summary>
    public string DeviceName => string.Join(",", Devices.Select(device => device.ToString()));

    /// <summary>Decides.</summary>
    /// <exception cref="ModelLoadException">A GPU is asked for that is not there, or a type that the device computes badly.</exception>
    public static ComputeSettings Choose(EngineOptions options)
    {
        var devices = DeviceChoice.Choose(options.Device);
        return new ComputeSettings(devices, ChooseType(options.DataType, devices));
    }

    private static ScalarType ChooseType(string wanted, IReadOnlyList<Device> devices) =>
        wanted switch
        {
            "bf16" => ScalarType.BFloat16,
            "fp16" when devices.Any(device => device.type == DeviceType.CPU) => throw new ModelLoadException(
                "Data type fp16 is for GPUs: processors compute it slowly. Use bf16 or fp32."
            ),
            "fp16" => ScalarType.Float16,
            "fp32" => ScalarType.Float32,
            _ => devices.All(device => device.type == DeviceType.CUDA) ? ScalarType.BFloat16 : ScalarType.Float32,
        };
}
