using Dsde.Pipeline.Jobs.Held;
using Microsoft.Extensions.Time.Testing;

namespace Dsde.Pipeline.Tests.Jobs;

public sealed class RecentIdsTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void An_id_is_forgotten_after_its_time_counted_from_when_it_was_last_added()
    {
        var ids = new RecentIds(_time, TimeSpan.FromMinutes(1), capacity: 10);
        var (once, twice) = (Guid.NewGuid(), Guid.NewGuid());
        ids.Add(once);
        ids.Add(twice);
        _time.Advance(TimeSpan.FromSeconds(50));
        ids.Add(twice);

        _time.Advance(TimeSpan.FromSeconds(20));

        (ids.Contains(once), ids.Contains(twice), ids.Contains(Guid.NewGuid())).ShouldBe((false, true, false));
    }

    [Fact]
    public void No_more_are_remembered_than_there_is_room_for()
    {
        var ids = new RecentIds(_time, TimeSpan.FromMinutes(1), capacity: 3);
        Guid[] added = [.. Enumerable.Range(0, 5).Select(_ => Guid.NewGuid())];
        foreach (var id in added)
        {
            ids.Add(id);
        }

        added.Select(ids.Contains).ShouldBe([false, false, true, true, true]);
    }
}
