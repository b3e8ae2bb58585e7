using System.Diagnostics;
using System.Globalization;
using Dsde.Engine.Benchmarking;
using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Cpu.Threads;
using Dsde.KernelSearch;

// Searches the tiling of each number of rows for the kernels of this machine and prints the fastest, beside what the table has.
// With "compare" all kernels of this machine run in turn, each with the plans of its table.
// Usage: Dsde.KernelSearch compare|KERNEL bf16|fp32 [ROWS,...] [ROUNDS] [THREADS]; KERNEL as Dsde:Engine:CpuKernels names it.
if (args.Length < 2 || args[1] is not ("bf16" or "fp32"))
{
    Console.Error.WriteLine("Usage: Dsde.KernelSearch compare|avx512-bf16|avx512|avx2|portable bf16|fp32 [ROWS,...] [ROUNDS] [THREADS]");
    return 1;
}

var rowCounts =
    args.Length > 2
        ? args[2].Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToArray()
        : [1, 2, 4, 5, 8, 12, 16, 24, 32, 40, 64, 128, 512];
var rounds = args.Length > 3 ? int.Parse(args[3], CultureInfo.InvariantCulture) : 9;
var threads = args.Length > 4 ? int.Parse(args[4], CultureInfo.InvariantCulture) : Environment.ProcessorCount;
var isBf16 = args[1] == "bf16";
if (args[0] == "compare")
{
    if (isBf16)
    {
        Compare<ushort, Bf16Element>(sizeof(ushort));
    }
    else
    {
        Compare<float, Fp32Element>(sizeof(float));
    }

    return 0;
}

var kernel = KernelChooser.Present.Choose(args[0], isBf16).Kernel!;
if (isBf16)
{
    Search<ushort, Bf16Element>(sizeof(ushort));
}
else
{
    Search<float, Fp32Element>(sizeof(float));
}

return 0;

void Compare<T, TElement>(int elementSize)
    where T : unmanaged
    where TElement : IElement<T>
{
    using var stack = new LayerStack(elementSize);
    using var team = new ThreadTeam(threads);
    using var reader = new MemoryReader(threads);
    foreach (var rows in rowCounts)
    {
        var read = double.PositiveInfinity;
        var works = ((string[])["avx512-bf16", "avx512", "avx2", "portable"])
            .Where(name => name != "avx512-bf16" || isBf16)
            .Select(name =>
                (
                    name,
                    work: new LinearWork<T, TElement>(KernelChooser.Present.Choose(name, isBf16).Kernel!),
                    best: new Dictionary<(int, int), double>()
                )
            )
            .ToArray();
        for (var round = 0; round < rounds; round++)
        {
            read = Math.Min(read, Time(reader.Read) * stack.ByteCount / MemoryReader.ByteCount);
            foreach (var (_, work, best) in works)
            {
                stack.Run(team, work, rows, best);
            }
        }

        var times = works.Select(found => string.Create(CultureInfo.InvariantCulture, $"{found.name} {stack.Total(found.best):F2}"));
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{rows, 4} rows: {string.Join(", ", times)}; plain read {read:F2} ms")
        );
        foreach (var (_, work, _) in works)
        {
            work.Dispose();
        }
    }
}

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
