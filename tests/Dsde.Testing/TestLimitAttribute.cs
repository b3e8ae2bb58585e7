using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using Xunit;
using Xunit.v3;

namespace Dsde.Testing;

/// <summary>
/// Ends a test that waits for what doesn't come, so that it fails by its name instead of keeping the run for ever: after
/// <c>DSDE_TEST_MINUTES</c>, else 20, it is cancelled, and if it does not look at that for a minute, all tests of its project end with it.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class TestLimitAttribute : BeforeAfterTestAttribute
{
    private const double DefaultMinutes = 20;
    private const double MostMinutes = 60_000; // what timers take
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(
        double.TryParse(Environment.GetEnvironmentVariable("DSDE_TEST_MINUTES"), CultureInfo.InvariantCulture, out var minutes)
        && minutes is > 0 and < MostMinutes
            ? minutes
            : DefaultMinutes
    );

    private readonly ConcurrentDictionary<IXunitTest, Timer> _timers = new();

    /// <inheritdoc/>
    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        ArgumentNullException.ThrowIfNull(test);
        var (context, name, isCancelled) = (TestContext.Current, test.TestDisplayName, false);
        _timers[test] = new Timer(_ => End(), null, Limit, Patience);

        void End()
        {
            var line = $"{name} has not ended within {Limit.TotalMinutes} minutes (DSDE_TEST_MINUTES)";
            if (isCancelled)
            {
                Environment.FailFast(line);
            }

            isCancelled = true;
            Console.Error.WriteLine($"{line}: it is cancelled.");
            context.CancelCurrentTest();
        }
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
