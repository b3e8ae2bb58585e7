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
    public void Jobs_that_have_ended_before_count_at_once_and_not_again_when_their_ends_are_told()
    {
        var (seen, before, now) = (Ends.Completed(_batchId), Ends.Completed(_batchId, tokens: 100_000), Ends.Completed(_batchId));
        _follower.See(seen); // just before it was looked for
        _follower.Expect(3, new HashSet<Guid> { seen.JobId, before.JobId });
        _tally.Sample().Ended.ShouldBe(2);

        _follower.See(before);
        _tally.Sample().Ended.ShouldBe(2);
        _follower.AllEnded.IsCompleted.ShouldBeFalse();
        _follower.See(now);

        _tally.Sample().Ended.ShouldBe(3);
        _follower.AllEnded.IsCompleted.ShouldBeTrue();
        _tally.ToRows(TimeSpan.FromSeconds(1), new Dictionary<string, double>()).Overall.CompletionTokens.ShouldBe(18);
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
