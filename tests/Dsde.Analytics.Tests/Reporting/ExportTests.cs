using System.Runtime.CompilerServices;
using Dsde.Analytics.Exporting;
using Dsde.Persistence.Analysis;
using Dsde.Testing;

namespace Dsde.Analytics.Tests.Reporting;

/// <summary>
/// What an export leaves on disk, whenever it is broken off. Memory is the whole process's, so that nothing else runs meanwhile.
/// </summary>
[Collection(nameof(ExportTests))]
[CollectionDefinition(nameof(ExportTests), DisableParallelization = true)]
public sealed class ExportTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 23, 59, 0, TimeSpan.Zero);
    private readonly ScratchFolder _folder = new("export");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Rows_are_parted_by_the_day_on_which_they_were_stored()
    {
        await ExportAsync(new Traces { Count = 4 });

        Days("outputs").ShouldBe(["day=2026-01-02", "day=2026-01-03"]);
        (await LinesAsync("outputs")).ShouldBe(4);
        (await LinesAsync("iterations")).ShouldBe(4 * 2);
        (await LinesAsync("proposals")).ShouldBe(4 * 3);
        Files("*.unfinished").ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task An_export_that_is_broken_off_shows_only_whole_files_and_the_next_one_does_the_rest_once(int breaksAfter)
    {
        await Should.ThrowAsync<IOException>(ExportAsync(new Traces { Count = 6, BreaksAfter = breaksAfter }));
        Files("*.unfinished").ShouldBeEmpty();
        (await LinesAsync("outputs")).ShouldBe(breaksAfter > 2 ? 2 : 0); // those of the first day, once there is a second
        await File.WriteAllTextAsync(_folder.PathOf("outputs.csv.unfinished"), "left behind", TestContext.Current.CancellationToken);

        await ExportAsync(new Traces { Count = 6 });
        await ExportAsync(new Traces { Count = 6 });

        (await LinesAsync("outputs")).ShouldBe(6);
        (await LinesAsync("proposals")).ShouldBe(6 * 3);
    }

    [Fact]
    public async Task Memory_does_not_grow_with_the_number_of_rows()
    {
        var few = await PeakAsync(25_000);
        var many = await PeakAsync(100_000); // ten million proposals

        many.ShouldBeLessThan(few + (24 << 20), $"{few >> 20} and {many >> 20} MiB");
    }

    /// <summary>Most bytes in use while outputs of 100 proposals each are exported.</summary>
    private static async Task<long> PeakAsync(int count)
    {
        var peak = 0L;
        using var folder = new ScratchFolder("export");
        var traces = new Traces
        {
            Count = count,
            Lengths = [.. Enumerable.Repeat(4, 25)],
            Seen = number => peak = number % 2500 == 0 ? Math.Max(peak, GC.GetTotalMemory(forceFullCollection: true)) : peak,
        };
        await new Export(traces, folder.Path, ExportFormat.Parquet, _ => { }).RunAsync(new(), "", TestContext.Current.CancellationToken);
        return peak;
    }

    private Task<ExportProgress> ExportAsync(Traces traces) =>
        new Export(traces, _folder.Path, ExportFormat.Csv, _ => { }).RunAsync(new(), "all", TestContext.Current.CancellationToken);

    private IEnumerable<string> Days(string table) =>
        Directory.GetDirectories(_folder.PathOf(table)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    private string[] Files(string pattern) => Directory.GetFiles(_folder.Path, pattern, SearchOption.AllDirectories);

    /// <summary>Rows of a table, each with its job's id.</summary>
    private async Task<int> LinesAsync(string table)
    {
        var lines = new List<string>();
        foreach (var file in Files("*.csv").Where(file => file.Contains($"/{table}/", StringComparison.Ordinal)))
        {
            lines.AddRange((await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken)).Skip(1));
        }

        lines.Distinct().Count().ShouldBe(lines.Count);
        return lines.Count;
    }

    /// <summary>Outputs half a minute apart, two of them before midnight.</summary>
    private sealed class Traces : IReportReader
    {
        public required int Count { get; init; }

        public int BreaksAfter { get; init; } = int.MaxValue;

        public int[] Lengths { get; init; } = [2, 1];

        public Action<int> Seen { get; init; } = _ => { };

        public async IAsyncEnumerable<StoredTrace> ReadAsync(
            TraceFilter filter,
            [EnumeratorCancellation] CancellationToken cancellationToken
        )
        {
            for (var number = 0; number < Count; number++)
            {
                var stored = Create(number);
                if (filter.After is { } after && stored.StoredAt <= after.StoredAt)
                {
                    continue;
                }

                if (number == BreaksAfter)
                {
                    throw new IOException("The database is gone.");
                }

                Seen(number);
                yield return stored;
                await Task.Yield();
            }
        }

        public IAsyncEnumerable<JobSummary> ReadEndedJobsAsync(TraceFilter filter, CancellationToken cancellationToken) =>
            AsyncEnumerable.Empty<JobSummary>();

        public Task<IReadOnlyDictionary<Guid, string>> ReadCostProfilesAsync(CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public IAsyncEnumerable<StoredSummary> ReadSummariesAsync(TraceFilter filter, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<StoredTrace>> ReadOfJobsAsync(IReadOnlyCollection<Guid> jobs, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyDictionary<(Guid JobId, int Choice), string>> ReadTextsAsync(
            IReadOnlyCollection<Guid> jobs,
            CancellationToken cancellationToken
        ) => throw new NotSupportedException();

        public Task<JobCounts> CountAsync(TraceFilter filter, CancellationToken cancellationToken) => throw new NotSupportedException();

        private StoredTrace Create(int number)
        {
            var proposals = Lengths.Sum();
            var trace = HandMadeTrace.Of(Lengths, new int[Lengths.Length], new float[proposals], new float[proposals]);
            return HandMadeTrace.Stored(trace) with
            {
                JobId = new Guid(number, 0, 0, new byte[8]),
                StoredAt = Start.AddSeconds(30 * (double)number),
            };
        }
    }
}
