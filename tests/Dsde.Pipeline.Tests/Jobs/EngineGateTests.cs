using Dsde.Pipeline.Jobs.Held;

namespace Dsde.Pipeline.Tests.Jobs;

public sealed class EngineGateTests
{
    private readonly EngineGate _gate = new();

    [Fact]
    public async Task Any_number_of_jobs_are_inside_together()
    {
        var first = Enter();
        var second = Enter();

        first.IsCompletedSuccessfully.ShouldBeTrue();
        second.IsCompletedSuccessfully.ShouldBeTrue();
        (await first).Dispose();
        (await second).Dispose();
    }

    [Fact]
    public async Task One_that_runs_alone_lets_the_others_finish_and_nobody_enters_before_it_has_left()
    {
        var (inside, alsoInside) = (await Enter(), await Enter());
        var alone = Enter(mostInside: 1);
        var later = Enter();

        inside.Dispose();
        (alone.IsCompleted, later.IsCompleted).ShouldBe((false, false));
        alsoInside.Dispose();
        var pass = await alone;
        later.IsCompleted.ShouldBeFalse();
        pass.Dispose();
        (await later).Dispose();
        _gate.WaitingCount.ShouldBe(0);
    }

    [Fact]
    public async Task All_come_in_in_the_order_of_their_arrival()
    {
        var order = new List<string>();
        var inside = await Enter();
        Task[] all = [NoteAsync("alone 1", 1), NoteAsync("a", null), NoteAsync("b", null), NoteAsync("alone 2", 1), NoteAsync("c", null)];

        inside.Dispose();
        await Task.WhenAll(all);

        order[0].ShouldBe("alone 1");
        order[1..3].ShouldBe(["a", "b"], ignoreOrder: true);
        order[3..].ShouldBe(["alone 2", "c"]);

        async Task NoteAsync(string name, int? mostInside)
        {
            using var pass = await Enter(mostInside);
            lock (order)
            {
                order.Add(name);
            }
        }
    }

    [Fact]
    public async Task Who_gives_up_waiting_to_be_alone_lets_those_behind_it_in()
    {
        using var patience = new CancellationTokenSource();
        using var inside = await Enter();
        var alone = _gate.EnterAsync(mostInside: 1, patience.Token).AsTask();
        var behind = Enter();
        behind.IsCompleted.ShouldBeFalse();

        await patience.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => alone);
        (await behind).Dispose();
    }

    [Fact]
    public async Task A_pass_that_is_given_back_twice_counts_once()
    {
        var first = await Enter();
        using var second = await Enter();
        first.Dispose();
        first.Dispose();

        Enter(mostInside: 1).IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task As_many_are_inside_as_each_of_them_bears()
    {
        var (any, three, two) = (await Enter(), await Enter(mostInside: 3), Enter(mostInside: 2));
        two.IsCompleted.ShouldBeFalse();
        any.Dispose();
        var pass = await two;
        var later = Enter();
        later.IsCompleted.ShouldBeFalse(); // there are two, which is all that one of them bears

        pass.Dispose();

        (await later).Dispose();
        three.Dispose();
    }

    private Task<IDisposable> Enter(int? mostInside = null) => _gate.EnterAsync(mostInside, TestContext.Current.CancellationToken).AsTask();
}
