using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Files;
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

    /// <summary>What multiplies on a processor; null on GPUs.</summary>
    public required KernelChoice? Kernels { get; init; }

    /// <summary>Decides.</summary>
    /// <exception cref="ModelLoadException">
    /// A GPU is asked for that is not there, a type that the device computes badly, or a kernel that can't run; or the target can't be
    /// read.
    /// </exception>
    public static ComputeSettings Choose(EngineOptions options)
    {
        var devices = DeviceChoice.Choose(options.Device);
        var type = ChooseType(options, devices);
        return new ComputeSettings(devices, type)
        {
            Kernels = devices.All(device => device.type == DeviceType.CUDA) ? null : ChooseKernels(options.CpuKernels, type),
        };
    }

    private static ScalarType ChooseType(EngineOptions options, IReadOnlyList<Device> devices) =>
        options.DataType switch
        {
            "bf16" => ScalarType.BFloat16,
            "fp16" when devices.Any(device => device.type == DeviceType.CPU) => throw new ModelLoadException(
                "Data type fp16 is for GPUs: processors compute it slowly. Use bf16 or fp32."
            ),
            "fp16" => ScalarType.Float16,
            "fp32" => ScalarType.Float32,
            _ when devices.All(device => device.type == DeviceType.CUDA) => ScalarType.BFloat16,
            _ => SuitsBf16(options) ? ScalarType.BFloat16 : ScalarType.Float32,
        };

    /// <summary>Whether the target is stored in bf16, and the processor computes that at least as well as fp32.</summary>
    private static bool SuitsBf16(EngineOptions options) =>
        KernelChooser.Present.SuitsBf16(options.CpuKernels) && ModelFolder.Open(options.Target).IsMostlyStoredAs(SafetensorsDataType.BF16);

    private static KernelChoice ChooseKernels(string wanted, ScalarType type)
    {
        try
        {
            return KernelChooser.Present.Choose(wanted, type == ScalarType.BFloat16);
        }
        catch (NotSupportedException exception)
        {
            throw new ModelLoadException(
                $"{EngineOptions.SectionName}:{nameof(EngineOptions.CpuKernels)} is {wanted}, but {exception.Message} Use auto, or "
                    + "another kernel.",
                exception
            );
        }
    }
}
