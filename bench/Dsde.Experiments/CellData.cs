using Dsde.Persistence;
using Dsde.Persistence.Analysis;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Dsde.Experiments;

/// <summary>What the databases of a cell have.</summary>
/// <param name="Outputs">Every output of every round.</param>
internal sealed record CellData(IReadOnlyList<OutputFigures> Outputs)
{
    /// <summary>Accepted by proposed tokens; null where nothing was proposed.</summary>
    public double? Acceptance =>
        Outputs.Sum(output => output.Proposed) is > 0 and var proposed ? Outputs.Sum(output => output.Accepted) / proposed : null;

    /// <summary>Proposed tokens per iteration.</summary>
    public double MeanLength => Outputs.Sum(output => output.Proposed) / Outputs.Sum(output => output.Iterations);

    /// <summary>Mean time of an output from its slot to its end, in seconds.</summary>
    public double MeanLatency => Outputs.Average(output => output.LatencyMs) / 1000;

    /// <summary>Reads all rounds of a cell.</summary>
    /// <exception cref="InvalidOperationException">It has not been run.</exception>
    public static async Task<CellData> ReadAsync(ExperimentSettings settings, Cell cell, CancellationToken cancellationToken)
    {
        var outputs = new List<OutputFigures>();
        for (var round = 0; Directory.Exists(CellRunner.FolderOf(settings, cell, round)); round++)
        {
            await using var services = Open(CellRunner.FolderOf(settings, cell, round));
            var reader = services.GetRequiredService<IReportReader>();
            await foreach (var stored in reader.ReadSummariesAsync(new TraceFilter(), cancellationToken))
            {
                outputs.Add(OutputFigures.Of(stored, round));
            }
        }

        return outputs.Count > 0 ? new CellData(outputs) : throw new InvalidOperationException($"{cell.Name} has not been run.");
    }

    /// <summary>The outputs of a workload.</summary>
    public CellData Of(string workload) => new([.. Outputs.Where(output => output.Workload == workload)]);

    /// <summary>The database of a run.</summary>
    public static ServiceProvider Open(string folder) =>
        new ServiceCollection()
            .AddSingleton(TimeProvider.System)
            .AddDsdePersistence(
                new PersistenceOptions
                {
                    Provider = PersistenceOptions.Sqlite,
                    ConnectionString = new SqliteConnectionStringBuilder { DataSource = Path.Combine(folder, "dsde.db") }.ToString(),
                }
            )
            .BuildServiceProvider();
}
