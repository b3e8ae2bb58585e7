using System.Diagnostics;
using System.Globalization;

namespace Dsde.Experiments;

/// <summary>Runs cells by the program itself, each in a process of its own, and leaves their databases behind.</summary>
internal sealed class CellRunner(ExperimentSettings settings, TextWriter progress, TimeProvider time)
{
    private const string Unfinished = ".unfinished";

    /// <summary>Runs what is missing: in every round each timed cell once, in an order that shifts from round to round.</summary>
    /// <exception cref="InvalidOperationException">A run failed; the message has what it said.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var timed = Plan.Timed;
        var due = Plan
            .Surveys.Select(cell => (Cell: cell, Round: 0))
            .Concat(
                Enumerable
                    .Range(0, settings.Rounds)
                    .SelectMany(round =>
                        Enumerable.Range(0, timed.Count).Select(turn => (Cell: timed[(turn + (round * 7)) % timed.Count], Round: round))
                    )
            )
            .Where(run => !Directory.Exists(FolderOf(settings, run.Cell, run.Round)))
            .ToList();
        var files = new Dictionary<double, string>();
        foreach (var temperature in Plan.Temperatures)
        {
            files[temperature] = await JobFiles.WriteAsync(settings, temperature, cancellationToken);
        }

        var started = time.GetTimestamp();
        foreach (var (index, (cell, round)) in due.Index())
        {
            var elapsed = time.GetElapsedTime(started);
            var left = index == 0 ? "" : $", about {elapsed.TotalMinutes / index * (due.Count - index):0} min left";
            await progress.WriteLineAsync($"{index + 1}/{due.Count} {cell.Name}, round {round + 1}{left}");
            await RunAsync(cell, files[cell.Temperature], FolderOf(settings, cell, round), cancellationToken);
        }
    }

    /// <summary>Where a cell's database of a round lies.</summary>
    public static string FolderOf(ExperimentSettings settings, Cell cell, int round) =>
        Path.Combine(settings.Folder, cell.Name, round.ToString(CultureInfo.InvariantCulture));

    private async Task RunAsync(Cell cell, string jobs, string folder, CancellationToken cancellationToken)
    {
        var beginning = folder + Unfinished;
        if (Directory.Exists(beginning))
        {
            Directory.Delete(beginning, recursive: true);
        }

        var start = new ProcessStartInfo(
            settings.Program,
            [
                "run",
                jobs,
                "--out",
                beginning,
                "--no-speedup",
                "--policy",
                cell.Policy,
                "--batch-size",
                cell.BatchSize.ToString(CultureInfo.InvariantCulture),
                "--target",
                settings.Target,
                "--draft",
                cell.IsMismatched ? settings.MismatchedDraft : settings.Draft,
                "--dtype",
                settings.DataType,
                "--sampling",
                cell.IsSurveyed ? "coupled" : "rejection",
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (cell.IsSurveyed)
        {
            start.Environment["Dsde__Worker__TelemetryLevel"] = "replay";
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{settings.Program} did not start.");
        var (output, error) = (
            process.StandardOutput.ReadToEndAsync(cancellationToken),
            process.StandardError.ReadToEndAsync(cancellationToken)
        );
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"dsde run ended with {process.ExitCode} for {cell.Name}:\n{await error}\n{await output}");
        }

        Directory.Move(beginning, folder);
    }
}
