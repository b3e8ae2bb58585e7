using System.Diagnostics;
using System.Globalization;
using Dsde.Engine.Benchmarking;
using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Cpu.Threads;
using Dsde.KernelSearch;

// Searches the tiling of each number of rows for the kernels of this machine and prints the fastest, beside what the table has.
// Usage: Dsde.KernelSearch KERNEL bf16|fp32 [ROWS,...] [ROUNDS] [THREADS]; KERNEL as Dsde:Engine:CpuKernels names it.
if (args.Length < 2 || args[1] is not ("bf16" or "fp32"))
{
    Console.Error.WriteLine("Usage: Dsde.KernelSearch avx512-bf16|avx512|avx2|portable bf16|fp32 [ROWS,...] [ROUNDS] [THREADS]");
    return 1;
}

var rowCounts =
    args.Length > 2
        ? args[2].Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToArray()
        : [1, 2, 4, 5, 8, 12, 16, 24, 32, 40, 64, 128, 512];
var rounds = args.Length > 3 ? int.Parse(args[3], CultureInfo.InvariantCulture) : 9;
var threads = args.Length > 4 ? int.Parse(args[4], CultureInfo.InvariantCulture) : Environment.ProcessorCount;
var kernel = KernelChooser.Present.Choose(args[0], args[1] == "bf16").Kernel!;
if (args[1] == "bf16")
{
    Search<ushort, Bf16Element>(sizeof(ushort));
}
else
{
    Search<float, Fp32Element>(sizeof(float));
}

return 0;

void Search<T, TElement>(int elementSize)
    where T : unmanaged
    where TElement : IElement<T>
{
    using var stack = new LayerStack(elementSize);
    using var team = new ThreadTeam(threads);
    using var work = new LinearWork<T, TElement>(kernel);
    using var reader = new MemoryReader(threads);
    var read = Enumerable.Range(0, rounds).Select(_ => Time(reader.Read)).Min() * stack.ByteCount / MemoryReader.ByteCount;
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{stack.ByteCount / 1e6:F0} MB, a plain read takes {read:F2} ms"));
    foreach (var rows in rowCounts)
    {
        var plans = Candidates(rows).ToArray();
        var best = plans.Select(_ => new Dictionary<(int, int), double>()).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < plans.Length; i++)
            {
                work.Plan = plans[i];
                stack.Run(team, work, rows, best[i]);
            }
        }

        var sorted = plans.Zip(best, (plan, times) => (plan, ms: stack.Total(times))).OrderBy(found => found.ms).ToArray();
        var inTable = sorted.First(found => found.plan == kernel.Tiles.Find(rows));
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{rows, 4} rows: table {Show(inTable)}; {string.Join(", ", sorted.Take(8).Select(Show))}"
            )
        );
    }
}

static string Show((TilePlan plan, double ms) found) =>
    string.Create(CultureInfo.InvariantCulture, $"{found.plan.TileRows}x{found.plan.Blocks}/{found.plan.ItemBlocks} {found.ms:F2}");

static double Time(Action action)
{
    var start = Stopwatch.GetTimestamp();
    action();
    return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
}

IEnumerable<TilePlan> Candidates(int rows)
{
    var found = new HashSet<TilePlan> { kernel.Tiles.Find(rows) };
    var heights = new HashSet<int>();
    for (var tileRows = 1; tileRows <= Math.Min(rows, kernel.Form.RegisterCount); tileRows++)
    {
        // Heights that cut the rows into the same number of tiles are the same plan.
        var height = (rows + ((rows + tileRows - 1) / tileRows) - 1) / ((rows + tileRows - 1) / tileRows);
        if (height * ((rows + height - 1) / height) >= rows && height >= Math.Min(rows, 4) - 2)
        {
            heights.Add(height);
        }
    }

    foreach (var height in heights)
    {
        for (var blocks = 1; blocks <= 4; blocks++)
        {
            if (
                kernel.Form.Fits(new TileShape(height, blocks))
                && (blocks == 4 || height * (blocks + 1) * kernel.Form.VectorsPerBlock >= kernel.Form.RegisterCount / 3)
            )
            {
                foreach (var items in (int[])[1, 2, 4])
                {
                    found.Add(new TilePlan(height, blocks, blocks * items));
                }
            }
        }
    }

    return found.Where(plan => kernel.Form.Fits(new TileShape(Math.Min(plan.TileRows, rows), plan.Blocks)));
}
