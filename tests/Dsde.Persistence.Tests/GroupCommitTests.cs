using Dsde.Persistence.Storage;
using Microsoft.Extensions.Time.Testing;

namespace Dsde.Persistence.Tests;

public sealed class GroupCommitTests
{
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Disposal_ends_in_bounded_time_though_the_database_never_answers()
    {
        var begun = new TaskCompletionSource();
        var commit = Create(
            async (_, token) =>
            {
                begun.TrySetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, token);
                return [];
            }
        );
        var writing = commit.WriteAsync(Item(1), Cancellation);
        await begun.Task;
        var waiting = commit.WriteAsync(Item(1), Cancellation);

        var disposing = commit.DisposeAsync().AsTask();
        disposing.IsCompleted.ShouldBeFalse();
        _time.Advance(GroupCommit<(Guid, int), int>.DisposalPatience);

        await disposing;
        await Should.ThrowAsync<ObjectDisposedException>(writing);
        await Should.ThrowAsync<ObjectDisposedException>(waiting);
        await Should.ThrowAsync<ObjectDisposedException>(commit.WriteAsync(Item(1), Cancellation));
    }

    [Fact]
    public async Task A_group_is_full_when_its_items_are_large()
    {
        var (groups, go) = (new List<int>(), new TaskCompletionSource());
        await using var commit = Create(
            async (items, _) =>
            {
                groups.Add(items.Count);
                await go.Task;
                return [.. items.Select(item => item.Size)];
            }
        );
        var first = commit.WriteAsync(Item(1), Cancellation);
        while (groups.Count == 0)
        {
            await Task.Delay(1, Cancellation);
        }

        var rest = Enumerable.Range(0, 10).Select(_ => commit.WriteAsync(Item(40), Cancellation)).ToArray();
        go.SetResult();
        await Task.WhenAll([first, .. rest]);

        groups.ShouldBe([1, 3, 3, 3, 1]);
    }

    [Fact]
    public async Task An_item_that_was_slow_alone_stays_outside_of_groups_until_it_is_written()
    {
        var slow = Item(7);
        var (groups, isSlow) = (new List<(Guid Key, int Size)[]>(), true);
        await using var commit = Create(
            (items, _) =>
            {
                lock (groups)
                {
                    groups.Add([.. items]);
                }

                return isSlow && items.Contains(slow)
                    ? throw new DatabaseUnavailableException("too long", new TimeoutException()) { IsSlow = true }
                    : Task.FromResult<IReadOnlyList<int>>([.. items.Select(item => item.Size)]);
            }
        );
        await Should.ThrowAsync<DatabaseUnavailableException>(commit.WriteAsync(slow, Cancellation));
        groups.Clear();

        await Should.ThrowAsync<DatabaseUnavailableException>(commit.WriteAsync(slow, Cancellation));
        isSlow = false;
        var all = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => commit.WriteAsync(Item(1), Cancellation)));
        (await commit.WriteAsync(slow, Cancellation)).ShouldBe(7);

        all.ShouldBe([1, 1, 1, 1, 1]);
        groups.Count(group => group.Contains(slow)).ShouldBe(2);
        groups.Where(group => group.Contains(slow)).ShouldAllBe(group => group.Length == 1);
    }

    private GroupCommit<(Guid Key, int Size), int> Create(
        Func<IReadOnlyList<(Guid Key, int Size)>, CancellationToken, Task<IReadOnlyList<int>>> write
    ) =>
        new(
            new()
            {
                Write = write,
                KeyOf = item => item.Key,
                SizeOf = item => item.Size,
                LargestSize = 100,
            },
            _time
        );

    private static (Guid Key, int Size) Item(int size) => (Guid.NewGuid(), size);
}
