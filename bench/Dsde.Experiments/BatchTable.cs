using System.Globalization;

namespace Dsde.Experiments;

/// <summary>Question 3: growing batches, with and without the cap.</summary>
internal static class BatchTable
{
    /// <summary>Throughput in multiples of plain decoding one by one.</summary>
    public static async Task<MarkdownTable> CreateAsync(Func<Cell, Task<CellData>> read)
    {
        var table = new MarkdownTable("temperature, batch", "with the cap", "without", "with by without", "mean length with", "without");
        foreach (var temperature in Plan.Temperatures)
        {
            var plain = await read(new Cell(Plan.Plain, temperature, 1));
            foreach (var size in Plan.BatchSizes)
            {
                var (capped, free) = (
                    await read(new Cell(Plan.Paper, temperature, size)),
                    await read(new Cell(Plan.NoCap, temperature, size))
                );
                table.Add(
                    string.Create(CultureInfo.InvariantCulture, $"T = {temperature}, {size}"),
                    MarkdownTable.With(Ratio.OfThroughput(capped, plain)),
                    MarkdownTable.With(Ratio.OfThroughput(free, plain)),
                    MarkdownTable.With(Ratio.OfThroughput(capped, free)),
                    MarkdownTable.Number(capped.MeanLength),
                    MarkdownTable.Number(free.MeanLength)
                );
            }
        }

        return table;
    }
}
