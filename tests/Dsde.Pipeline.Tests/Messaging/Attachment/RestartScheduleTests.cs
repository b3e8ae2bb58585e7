using Dsde.Pipeline.Messaging.Attachment;

namespace Dsde.Pipeline.Tests.Messaging.Attachment;

public sealed class RestartScheduleTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly RestartSchedule _schedule = new(TimeSpan.FromSeconds(60));

    [Fact]
    public void Coming_back_by_itself_is_given_a_time_first()
    {
        _schedule.IsDue(Start, detachedSince: null).ShouldBeFalse();
        _schedule.IsDue(At(10), detachedSince: Start).ShouldBeFalse();
        _schedule.IsDue(At(59), detachedSince: Start).ShouldBeFalse();
        _schedule.IsDue(At(60), detachedSince: Start).ShouldBeTrue();
    }

    [Fact]
    public void Each_restart_is_given_twice_the_time_of_the_one_before_and_after_three_it_is_enough()
    {
        var now = 60;
        foreach (var wait in new[] { 120, 240, 480 })
        {
            _schedule.IsDue(At(now), Start).ShouldBeTrue();
            _schedule.IsExhausted.ShouldBeFalse();
            _schedule.Restarted(At(now));
            _schedule.IsDue(At(now + wait - 1), Start).ShouldBeFalse();
            now += wait;
        }

        _schedule.IsDue(At(now), Start).ShouldBeTrue();
        _schedule.IsExhausted.ShouldBeTrue();
    }

    [Fact]
    public void Time_in_which_the_broker_is_away_does_not_count()
    {
        _schedule.IsDue(At(60), Start).ShouldBeTrue();
        _schedule.Postpone(At(60));

        _schedule.IsDue(At(119), Start).ShouldBeFalse();
        _schedule.IsDue(At(120), Start).ShouldBeTrue();
        _schedule.IsExhausted.ShouldBeFalse();
    }

    [Fact]
    public void One_that_came_back_starts_afresh_when_it_is_lost_again()
    {
        _schedule.IsDue(At(60), Start).ShouldBeTrue();
        _schedule.Restarted(At(60));
        _schedule.IsDue(At(70), detachedSince: null).ShouldBeFalse();

        _schedule.IsDue(At(100), detachedSince: At(80)).ShouldBeFalse();
        _schedule.IsDue(At(140), detachedSince: At(80)).ShouldBeTrue();
    }

    private static DateTimeOffset At(int seconds) => Start.AddSeconds(seconds);
}
