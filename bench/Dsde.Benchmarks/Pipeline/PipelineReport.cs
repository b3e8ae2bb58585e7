using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dsde.Batches.Reporting;
using Dsde.Statistics;
using Spectre.Console;

namespace Dsde.Benchmarks.Pipeline;

/// <summary>What was found out about the pipeline.</summary>
internal sealed record PipelineReport
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The command that repeats it.</summary>
    public required string Command { get; init; }

    /// <summary>CPU type.</summary>
    public string? Cpu { get; init; }

    /// <summary>Jobs of a round.</summary>
    public required int JobCount { get; init; }

    /// <summary>Jobs that the engine takes at once.</summary>
    public required int Capacity { get; init; }

    /// <summary>With an engine that answers at once; null if a real one was measured.</summary>
    public IReadOnlyList<PipelineRound>? Rounds { get; init; }

    /// <summary>With a real engine; null if that was not asked for.</summary>
    public IReadOnlyList<EngineRound>? EngineRounds { get; init; }

    /// <summary>What else the machine did: broker and database are among the other processes.</summary>
    public MachineLoad? Load { get; init; }

    /// <summary>One line.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>For people.</summary>
    public void Print(IAnsiConsole console)
    {
        var table = new Table()
            .Border(TableBorder.Simple)
            .AddColumn("")
            .AddColumn(new TableColumn("median").RightAligned())
            .AddColumn(new TableColumn("spread").RightAligned());
        if (Rounds is { } rounds)
        {
            Add("pipeline, jobs/s", rounds.Select(round => round.JobsPerSecond), "N0");
            Add("worker's CPU per job, ms", rounds.Select(round => round.ProcessorMsPerJob), "F2");
            Add("floor: plain client takes and acknowledges, jobs/s", rounds.Select(round => round.ConsumedPerSecond), "N0");
            Add("floor: plain COPY of the rows, jobs/s", rounds.Select(round => round.CopiedPerSecond), "N0");
            Add("floor: one after the other, jobs/s", rounds.Select(round => round.FloorPerSecond), "N0");
            Add("pipeline / floor", rounds.Select(round => round.ShareOfFloor), "F2");
        }

        if (EngineRounds is { } engineRounds)
        {
            Add("engine called directly, tokens/s", engineRounds.Select(round => round.DirectTokensPerSecond), "N0");
            Add("through the pipeline, tokens/s", engineRounds.Select(round => round.PipelineTokensPerSecond), "N0");
            table.AddRow(
                "cost of the pipeline",
                string.Create(CultureInfo.InvariantCulture, $"{100 * Samples.Median(engineRounds.Select(round => round.Cost)):F1} %"),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{100 * engineRounds.Min(round => round.Cost):F1} to {100 * engineRounds.Max(round => round.Cost):F1} %"
                )
            );
        }

        console.Write(table);

        void Add(string name, IEnumerable<double> values, string format)
        {
            var all = values.ToList();
            table.AddRow(
                Markup.Escape(name),
                Samples.Median(all).ToString(format, CultureInfo.InvariantCulture),
                string.Create(CultureInfo.InvariantCulture, $"{100 * Samples.Spread(all):F0} %")
            );
        }
    }
}
