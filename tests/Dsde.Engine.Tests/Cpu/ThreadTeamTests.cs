using Dsde.Engine.Cpu.Threads;
using Dsde.Engine.Tests.Models;

namespace Dsde.Engine.Tests.Cpu;

public sealed class ThreadTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_item_is_done_once_in_every_piece_of_work(int threads)
    {
        using var team = new ThreadTeam(threads);
        for (var round = 0; round < 2000; round++)
        {
            var work = new Counting(1 + (round % 37));

            team.Run(work, work.Counts.Length);

            work.Counts.ShouldAllBe(count => count == 1);
        }
    }

    [Fact]
    public void Workers_that_have_gone_to_sleep_come_back()
    {
        using var team = new ThreadTeam(2);
        for (var round = 0; round < 20; round++)
        {
            using var work = new Meeting();

            team.Run(work, 2); // each item waits for the other: one thread alone would not get through

            work.Met.ShouldBe(2);
            Thread.SpinWait(round * 20_000); // up to longer than workers look for work
        }
    }

    [Fact]
    public void A_failure_reaches_whoever_brought_the_work_once_the_rest_is_done()
    {
        using var team = new ThreadTeam(2);
        var failing = new Failing();

        Should.Throw<InvalidOperationException>(() => team.Run(failing, 50)).Message.ShouldBe("item 17");
        failing.Done.ShouldBe(49);

        var work = new Counting(8);
        team.Run(work, 8);
        work.Counts.ShouldAllBe(count => count == 1);
    }

    private sealed class Counting(int itemCount) : ITeamWork
    {
        public int[] Counts { get; } = new int[itemCount];

        public void Run(int item) => Interlocked.Increment(ref Counts[item]);
    }

    private sealed class Meeting : ITeamWork, IDisposable
    {
        private readonly Barrier _barrier = new(2);

        public int Met;

        public void Run(int item)
        {
            _barrier.SignalAndWait(TimeSpan.FromSeconds(30)).ShouldBeTrue();
            Interlocked.Increment(ref Met);
        }

        public void Dispose() => _barrier.Dispose();
    }

    private sealed class Failing : ITeamWork
    {
        public int Done;

        public void Run(int item)
        {
            if (item == 17)
            {
                throw new InvalidOperationException("item 17");
            }

            Interlocked.Increment(ref Done);
        }
    }
}
