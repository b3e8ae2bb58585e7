using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dsde.Engine;
using Dsde.Engine.Benchmarking;

namespace Dsde.Benchmarks;

/// <summary>Everything a comparison found out.</summary>
internal sealed record BenchReport
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>The command that repeats it.</summary>
    public required string Command { get; init; }

    /// <summary>CPU type.</summary>
    public string? Cpu { get; init; }

    /// <summary>Names and type of the models; null if no policies were compared.</summary>
    public EngineDescription? Engine { get; init; }

    /// <summary>What else the machine did meanwhile; null where the system does not say.</summary>
    public MachineLoad? Load { get; init; }

    /// <summary>The target against the machine; null if that was not asked for.</summary>
    public RooflineReport? Roofline { get; init; }

    /// <summary>The comparison.</summary>
    public required IReadOnlyList<BenchRow> Rows { get; init; }

    /// <summary>Machine and models.</summary>
    public string Subject =>
        Engine is { } engine
            ? $"{Cpu ?? "unknown CPU"}, {Environment.ProcessorCount} cores; target {engine.Target}, draft {engine.Draft ?? "none"}, "
                + $"{engine.DataType} on {engine.Device}"
            : $"{Cpu ?? "unknown CPU"}, {Environment.ProcessorCount} cores; target {Roofline?.Target}, {Roofline?.DataType} on "
                + $"{Roofline?.Device}";

    /// <summary>One line.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);
}
