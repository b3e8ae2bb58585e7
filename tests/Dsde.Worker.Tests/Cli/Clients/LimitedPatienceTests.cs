using System.Net.Sockets;
using Dsde.Persistence;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Resilience;
using Dsde.Worker.Cli.Clients;
using Microsoft.Extensions.Time.Testing;

namespace Dsde.Worker.Tests.Cli.Clients;

public sealed class LimitedPatienceTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly StringWriter _error = new();

    public void Dispose() => _error.Dispose();

    [Fact]
    public async Task A_server_that_is_away_and_comes_back_costs_two_lines_however_many_wait()
    {
        var patience = Create(60);
        var isAway = true;
        var work = Enumerable
            .Range(0, 3)
            .Select(_ =>
                patience.RunAsync(
                    () => isAway ? Task.FromException<int>(Away()) : Task.FromResult(1),
                    TestContext.Current.CancellationToken
                )
            )
            .ToList();

        _time.Advance(TimeSpan.FromSeconds(20));
        isAway = false;
        await AdvanceUntilAsync(Task.WhenAll(work));

        var lines = Lines();
        lines.Length.ShouldBe(2);
        lines[0].ShouldBe("dsde: gone. Waiting for it, at most 60 s (--patience).");
        lines[1].ShouldStartWith("dsde: the server is back after 2");
    }

    [Theory]
    [InlineData(0.04, "0 s")]
    [InlineData(0.37, "0.4 s")]
    [InlineData(1, "1 s")]
    [InlineData(9.96, "10 s")]
    [InlineData(82.6, "83 s")]
    [InlineData(300, "300 s")]
    public void Short_times_are_told_with_a_decimal(double seconds, string told) =>
        LimitedPatience.Describe(TimeSpan.FromSeconds(seconds)).ShouldBe(told);

    [Fact]
    public async Task At_the_limit_the_cause_is_thrown_and_no_sooner()
    {
        var patience = Create(60);
        var begun = _time.GetTimestamp();
        var work = patience.RunAsync(() => Task.FromException<int>(Away()), TestContext.Current.CancellationToken);

        await AdvanceUntilAsync(work);

        (await Should.ThrowAsync<DatabaseUnavailableException>(work)).Message.ShouldBe("gone.");
        _time.GetElapsedTime(begun).ShouldBeInRange(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60) + ServerPatience.LongestPause * 2);
        patience.IsOver.ShouldBeTrue();
    }

    [Fact]
    public async Task Without_patience_the_first_failure_is_the_last_and_nothing_is_said_of_waiting()
    {
        var patience = Create(0);

        await Should.ThrowAsync<DatabaseUnavailableException>(() =>
            patience.RunAsync(() => Task.FromException<int>(Away()), TestContext.Current.CancellationToken)
        );

        Lines().ShouldBeEmpty();
        patience.IsOver.ShouldBeTrue();
    }

    [Fact]
    public async Task A_refusal_and_an_unknown_host_are_not_waited_for_but_a_known_host_that_vanishes_is()
    {
        var patience = Create(60);
        var unknown = new BrokerUnavailableException("nobody", new AggregateException(new SocketException((int)SocketError.HostNotFound)));
        foreach (var exception in (Exception[])[new DatabaseUnavailableException("no", new IOException()) { IsRefusal = true }, unknown])
        {
            (
                await Should.ThrowAsync<Exception>(() =>
                    patience.RunAsync(() => Task.FromException<int>(exception), TestContext.Current.CancellationToken)
                )
            ).ShouldBe(exception);
        }

        Lines().ShouldBeEmpty();
        await patience.RunAsync(() => Task.FromResult(1), TestContext.Current.CancellationToken);
        (await patience.PeekAsync<int?>(() => Task.FromException<int?>(unknown))).ShouldBeNull();
        Lines().ShouldHaveSingleItem();
    }

    private static DatabaseUnavailableException Away() => new("gone.", new TimeoutException());

    private LimitedPatience Create(int seconds) => new("the server", TimeSpan.FromSeconds(seconds), _time, _error);

    private string[] Lines() => _error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task AdvanceUntilAsync(Task work)
    {
        while (!work.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
    }
}
