using Dsde.Batches.Following;
using Dsde.Batches.Reporting;
using Dsde.Batches.Tests.Reporting;

namespace Dsde.Batches.Tests.Following;

public sealed class BatchFollowerTests : IDisposable
{
    private readonly Guid _batchId = Guid.NewGuid();
    private readonly RunTally _tally = new(TimeProvider.System);
    private readonly BatchFollower _follower;

    public BatchFollowerTests() => _follower = new BatchFollower(_batchId, _tally);

    public void Dispose() => _follower.Dispose();

    [Fact]
    public void Ends_when_as_many_jobs_as_expected_have()
    {
        _follower.Expect(2);
        _follower.See(Ends.Completed(_batchId));
        _follower.AllEnded.IsCompleted.ShouldBeFalse();
        _follower.See(Ends.Failed(_batchId));
        _follower.AllEnded.IsCompleted.ShouldBeTrue();
        _follower.Ends.CurrentCount.ShouldBe(2);
    }

    [Fact]
    public void An_event_told_twice_counts_once()
    {
        var end = Ends.Completed(_batchId);
        _follower.Expect(2);
        _follower.See(end);
        _follower.See(end);

        _follower.AllEnded.IsCompleted.ShouldBeFalse();
        _tally.Sample().Ended.ShouldBe(1);
        _follower.Ends.CurrentCount.ShouldBe(1);
    }

    [Fact]
    public void An_end_of_before_that_is_told_again_is_an_end_and_not_one_of_now()
    {
        var (before, now) = (Ends.Completed(_batchId), Ends.Completed(_batchId));
        _follower.Expect(2, new HashSet<Guid> { before.JobId });

        _follower.See(before);
        _tally.Sample().TokensPerSecond.ShouldBe(0);
        _follower.See(now);

        _tally.Sample().TokensPerSecond.ShouldBeGreaterThan(0);
        _follower.AllEnded.IsCompleted.ShouldBeTrue();
    }

    [Fact]
    public void Jobs_of_other_batches_do_not_count()
    {
        _follower.See(Ends.Completed(Guid.NewGuid()));
        _follower.See(Ends.Completed());

        _tally.Sample().Ended.ShouldBe(0);
    }

    [Fact]
    public void Ends_seen_before_the_count_is_known_count()
    {
        _follower.See(Ends.Completed(_batchId));
        _follower.Expect(1);

        _follower.AllEnded.IsCompleted.ShouldBeTrue();
    }

    [Fact]
    public void A_batch_of_no_jobs_has_ended()
    {
        _follower.Expect(0);

        _follower.AllEnded.IsCompleted.ShouldBeTrue();
    }
}
