using System.CommandLine;
using System.Globalization;
using Dsde.Batches.Reporting;
using Dsde.Contracts;
using Spectre.Console;

namespace Dsde.Worker.Cli;

/// <summary>What is under way, for people.</summary>
internal static class OverviewPrinter
{
    public static void Print(InvocationConfiguration configuration, Overview overview)
    {
        var console = Consoles.Create(configuration);
        var output = configuration.Output;
        foreach (var problem in overview.Problems)
        {
            configuration.Error.WriteLine($"dsde: {problem}");
        }

        if (overview.Queues is { Count: > 0 } queues)
        {
            console.Write(CreateQueues(queues));
            PrintParked(output, overview);
            var waiting = queues.FirstOrDefault(queue => queue.Name == QueueNames.HeldGenerationJobs)?.Messages ?? 0;
            if (waiting > 0)
            {
                output.WriteLine($"{Quantity.Of(waiting, "job waits", "jobs wait")} for another worker's claim to end or to run out");
            }
        }

        if (overview.Workers is { Count: > 0 } workers)
        {
            console.Write(CreateWorkers(workers));
        }
        else if (overview.Workers is not null)
        {
            output.WriteLine("no worker has lately said that it is there");
        }

        if (overview.Batches is { Count: > 0 } batches)
        {
            console.Write(CreateBatches(batches));
        }
        else if (overview.Batches is not null)
        {
            output.WriteLine("no batch is under way");
        }
    }

    /// <summary>The models alone.</summary>
    public static void PrintModels(InvocationConfiguration configuration, Overview overview)
    {
        foreach (var problem in overview.Problems)
        {
            configuration.Error.WriteLine($"dsde: {problem}");
        }

        if (overview.Models.Count == 0)
        {
            configuration.Output.WriteLine("no model is served, and no job waits for one");
            return;
        }

        var table = CreateTable("model", "workers", "consumers", "waiting", "high", "resumed", "parked");
        foreach (var model in overview.Models)
        {
            table.AddRow(
                Markup.Escape(model.Name),
                Number(model.Workers),
                Number(model.Consumers),
                Number(model.Waiting),
                Number(model.High),
                Number(model.Resumed),
                Number(model.Parked)
            );
        }

        Consoles.Create(configuration).Write(RightAlign(table, 1, 2, 3, 4, 5, 6));
        PrintParked(configuration.Output, overview);
    }

    /// <summary>Says which jobs wait for a worker that may never come.</summary>
    private static void PrintParked(TextWriter output, Overview overview)
    {
        var parked = overview.Models.Where(model => model.Parked > 0).ToList();
        if (parked.Count > 0)
        {
            var (count, models) = (parked.Sum(model => model.Parked), parked.Select(model => $"{model.Name} ({model.Parked})"));
            output.WriteLine(
                $"{Quantity.Of(count, "job waits", "jobs wait")} for models that no worker has ever served: {string.Join(", ", models)}"
            );
        }
    }

    private static Table CreateQueues(IReadOnlyList<Overview.Queue> queues)
    {
        var table = CreateTable("queue", "messages", "consumers");
        foreach (var queue in queues)
        {
            table.AddRow(queue.Name, Number(queue.Messages), Number(queue.Consumers));
        }

        return RightAlign(table, 1, 2);
    }

    private static Table CreateWorkers(IReadOnlyList<Overview.Worker> workers)
    {
        var table = CreateTable("worker", "host", "models", "at once", "has jobs", "up", "seen");
        foreach (var worker in workers)
        {
            table.AddRow(
                Markup.Escape(worker.WorkerId),
                Markup.Escape(worker.Host),
                Markup.Escape(string.Join(", ", worker.Models)),
                Number(worker.BatchSize),
                Number(worker.HeldJobs),
                TimeSpan.FromSeconds(Math.Round(worker.UpSeconds)).ToString("c", CultureInfo.InvariantCulture),
                string.Create(CultureInfo.InvariantCulture, $"{worker.SeenSecondsAgo:F0} s ago")
            );
        }

        return RightAlign(table, 3, 4);
    }

    private static Table CreateBatches(IReadOnlyList<Overview.Batch> batches)
    {
        var table = CreateTable("batch", "from", "submitted (UTC)", "jobs", "running", "completed", "failed", "cancelled");
        foreach (var batch in batches)
        {
            table.AddRow(
                batch.BatchId.ToString(),
                Markup.Escape(batch.Source ?? "-"),
                batch.SubmittedAt?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "-",
                batch.JobCount is { } count ? Number(count) : "?",
                Number(batch.Running),
                Number(batch.Completed),
                Number(batch.Failed),
                Number(batch.Cancelled)
            );
        }

        return RightAlign(table, 3, 4, 5, 6, 7);
    }

    private static Table CreateTable(params string[] columns) => new Table().Border(TableBorder.Simple).AddColumns(columns);

    private static Table RightAlign(Table table, params int[] columns)
    {
        foreach (var column in columns)
        {
            table.Columns[column].RightAligned();
        }

        return table;
    }

    private static string Number(long? number) => number is { } known ? Number(known) : "-";

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
