using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using Xunit;
using Xunit.v3;

namespace Dsde.Testing;

/// <summary>
/// Cancels a test that waits for what doesn't come, so that it fails by its name instead of keeping the run for ever: after
/// <c>DSDE_TEST_MINUTES</c>, else 20.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class TestLimitAttribute : BeforeAfterTestAttribute
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(
        double.TryParse(Environment.GetEnvironmentVariable("DSDE_TEST_MINUTES"), CultureInfo.InvariantCulture, out var minutes)
            ? minutes
            : 20
    );

    private readonly ConcurrentDictionary<IXunitTest, Timer> _timers = new();

    /// <inheritdoc/>
    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        var context = TestContext.Current;
        _timers[test] = new Timer(_ => context.CancelCurrentTest(), null, Limit, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (_timers.TryRemove(test, out var timer))
        {
            timer.Dispose();
        }
    }
}
