using System.Text.Json.Serialization;
using Dsde.Engine;

namespace Dsde.Pipeline.Jobs.Checkpoints;

/// <summary>Reads and writes checkpoints without reflection. Policies and telemetry know infinities and NaN.</summary>
[JsonSourceGenerationOptions(NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(SequenceCheckpoint))]
internal sealed partial class CheckpointJson : JsonSerializerContext;
