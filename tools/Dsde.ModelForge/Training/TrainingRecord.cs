using System.Text.Json;

namespace Dsde.ModelForge.Training;

/// <summary>What training.json of a model folder says: how the model came about.</summary>
/// <param name="Command">The command.</param>
/// <param name="Seed">Of corpus and weights.</param>
/// <param name="Parameters">Numbers in all weights.</param>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="Tokens">Tokens seen.</param>
/// <param name="Minutes">Wall-clock time.</param>
/// <param name="HeldOutLoss">By workload, nats per token.</param>
internal sealed record TrainingRecord(
    string Command,
    int Seed,
    long Parameters,
    int Steps,
    long Tokens,
    double Minutes,
    IReadOnlyDictionary<string, double> HeldOutLoss
)
{
    public const string FileName = "training.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, NewLine = "\n" };

    public void Write(string folder) => File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, Json) + "\n");

    public static TrainingRecord Read(string folder) =>
        JsonSerializer.Deserialize<TrainingRecord>(File.ReadAllText(Path.Combine(folder, FileName)), Json)
        ?? throw new JsonException($"{folder}/{FileName} is empty.");
}
