using Dsde.Persistence;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using ShutdownInitiator = RabbitMQ.Client.ShutdownInitiator;

namespace Dsde.Pipeline.Tests.Telemetry;

public sealed class OutageTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _told = [];
    private readonly Outage _outage;

    public OutageTests() => _outage = new Outage(_time, _told.Add, away => _told.Add($"back after {away.TotalSeconds}"));

    [Fact]
    public void However_many_notice_an_outage_is_told_once_and_its_end_once()
    {
        _outage.Back(_time.GetTimestamp());
        _outage.Away("gone");
        _outage.Away("gone");
        _time.Advance(TimeSpan.FromSeconds(20));
        _outage.Away("still gone");
        _outage.Back(_time.GetTimestamp());
        _outage.Back(_time.GetTimestamp());

        _told.ShouldBe(["gone", "back after 20"]);
    }

    [Fact]
    public void An_answer_to_what_was_asked_before_the_outage_does_not_end_it()
    {
        var asked = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromSeconds(1));
        _outage.Away("gone");

        _outage.Back(asked);

        _outage.IsAway.ShouldBeTrue();
    }

    [Theory]
    [InlineData(ShutdownInitiator.Peer, 403, false)]
    [InlineData(ShutdownInitiator.Peer, 404, false)]
    [InlineData(ShutdownInitiator.Peer, 406, false)]
    [InlineData(ShutdownInitiator.Peer, 320, true)] // CONNECTION_FORCED: it is being stopped
    [InlineData(ShutdownInitiator.Library, 541, true)]
    public async Task What_the_broker_refuses_is_tried_again_and_is_no_outage(ShutdownInitiator initiator, ushort code, bool isOutage)
    {
        var log = new LogLines();
        var patience = new BrokerPatience(TimeProvider.System, log.For<BrokerPatience>());
        var tries = 0;

        await patience.RunAsync(
            () =>
                ++tries == 1
                    ? Task.FromException(new OperationInterruptedException(new ShutdownEventArgs(initiator, code, "no")))
                    : Task.CompletedTask,
            TestContext.Current.CancellationToken
        );

        tries.ShouldBe(2);
        log.Lines.Select(line => line.Id).ShouldBe(isOutage ? [2050, 2051] : []);
    }

    [Fact]
    public async Task Work_that_waits_for_the_database_is_done_once_it_answers()
    {
        var patience = new DatabasePatience(_time, NullLogger<DatabasePatience>.Instance);
        var tries = 0;
        var work = patience.RunAsync(
            () =>
                ++tries < 3
                    ? Task.FromException<int>(new DatabaseUnavailableException("away", new TimeoutException()))
                    : Task.FromResult(tries),
            TestContext.Current.CancellationToken
        );
        while (!work.IsCompleted)
        {
            _time.Advance(DatabasePatience.LongestPause);
            await Task.Yield();
        }

        (await work).ShouldBe(3);
    }

    [Fact]
    public async Task However_long_a_server_is_away_there_is_a_pause_between_two_tries()
    {
        const int pauses = 3000;
        using var given = new CancellationTokenSource();
        var patience = new DatabasePatience(_time, NullLogger<DatabasePatience>.Instance);
        var tries = 0;
        var work = patience.RunAsync(
            () =>
            {
                tries++;
                return Task.FromException<int>(new DatabaseUnavailableException("away", new TimeoutException()));
            },
            given.Token
        );

        for (var pause = 0; pause < pauses; pause++)
        {
            var before = tries;
            while (tries == before)
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
                await Task.Yield();
            }

            (tries - before).ShouldBe(1);
        }

        await given.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(work);
    }
}
