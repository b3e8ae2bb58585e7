using Dsde.Pipeline.Messaging.Attachment;

namespace Dsde.Pipeline.Tests.Messaging.Attachment;

public sealed class RestartScheduleTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly RestartSchedule _schedule = new(TimeSpan.FromSeconds(60));

    [Fact]
    public void Coming_back_by_itself_is_given_a_time_first()
    {
        _schedule.IsDue(Start, detachedSince: null, wasAttached: true).ShouldBeFalse();
        _schedule.IsDue(At(10), detachedSince: Start, wasAttached: true).ShouldBeFalse();
        _schedule.IsDue(At(59), detachedSince: Start, wasAttached: true).ShouldBeFalse();
        _schedule.IsDue(At(60), detachedSince: Start, wasAttached: true).ShouldBeTrue();
    }

    [Fact]
    public void What_was_never_attached_is_tried_again_soon_counted_from_the_first_look()
    {
        _schedule.IsDue(At(300), Start, wasAttached: false).ShouldBeFalse(); // a large model was loaded meanwhile
        _schedule.IsDue(At(314), Start, wasAttached: false).ShouldBeFalse();
        _schedule.IsDue(At(315), Start, wasAttached: false).ShouldBeTrue();

        _schedule.Postpone(At(315), wasAttached: false);
        _schedule.IsDue(At(329), Start, wasAttached: false).ShouldBeFalse();
        _schedule.IsDue(At(330), Start, wasAttached: false).ShouldBeTrue();
    }

    [Fact]
    public void Each_restart_is_given_twice_the_time_of_the_one_before_and_after_three_it_is_enough()
    {
        var now = 60;
        foreach (var wait in new[] { 120, 240, 480 })
        {
            _schedule.IsDue(At(now), Start, wasAttached: true).ShouldBeTrue();
            _schedule.IsExhausted.ShouldBeFalse();
            _schedule.Restarted(At(now));
            _schedule.IsDue(At(now + wait - 1), Start, wasAttached: true).ShouldBeFalse();
            now += wait;
        }

        _schedule.IsDue(At(now), Start, wasAttached: true).ShouldBeTrue();
        _schedule.IsExhausted.ShouldBeTrue();
    }

    [Fact]
    public void Time_in_which_the_broker_is_away_does_not_count()
    {
        _schedule.IsDue(At(60), Start, wasAttached: true).ShouldBeTrue();
        _schedule.Postpone(At(60), wasAttached: true);

        _schedule.IsDue(At(119), Start, wasAttached: true).ShouldBeFalse();
        _schedule.IsDue(At(120), Start, wasAttached: true).ShouldBeTrue();
        _schedule.IsExhausted.ShouldBeFalse();
    }

    [Fact]
    public void After_an_outage_it_is_tried_soon_and_the_first_try_does_not_count()
    {
        _schedule.IsDue(At(10), Start, wasAttached: true).ShouldBeFalse();
        _schedule.Hasten(At(10));
        _schedule.IsDue(At(12), Start, wasAttached: true).ShouldBeFalse();
        _schedule.IsDue(At(13), Start, wasAttached: true).ShouldBeTrue();

        _schedule.Restarted(At(13));
        _schedule.IsDue(At(72), Start, wasAttached: true).ShouldBeFalse();
        _schedule.IsDue(At(73), Start, wasAttached: true).ShouldBeTrue();
        _schedule.Restarted(At(73));
        _schedule.IsDue(At(192), Start, wasAttached: true).ShouldBeFalse();
        _schedule.IsDue(At(193), Start, wasAttached: true).ShouldBeTrue();
    }

    [Fact]
    public void One_that_came_back_starts_afresh_when_it_is_lost_again()
    {
        _schedule.IsDue(At(60), Start, wasAttached: true).ShouldBeTrue();
        _schedule.Restarted(At(60));
        _schedule.IsDue(At(70), detachedSince: null, wasAttached: true).ShouldBeFalse();

        _schedule.IsDue(At(100), detachedSince: At(80), wasAttached: true).ShouldBeFalse();
        _schedule.IsDue(At(140), detachedSince: At(80), wasAttached: true).ShouldBeTrue();
    }

    private static DateTimeOffset At(int seconds) => Start.AddSeconds(seconds);
}
