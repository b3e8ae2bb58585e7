using System.Globalization;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>How much chaos. The defaults are those of the ordinary suite.</summary>
/// <param name="Seed">Of what is done when to whom; DSDE_CHAOS_SEED, otherwise a new one each time, which is printed.</param>
/// <param name="KillCount">How many times something is killed, stopped, paused or cut; DSDE_CHAOS_KILLS.</param>
/// <param name="JobCount">Jobs; DSDE_CHAOS_JOBS.</param>
internal sealed record ChaosPlan(int Seed, int KillCount, int JobCount)
{
    private const int DefaultKills = 24;
    private const int DefaultJobs = 520;

    public static ChaosPlan Read() =>
        new(
            ReadNumber("DSDE_CHAOS_SEED") ?? Environment.TickCount & 0xFFFFFF,
            ReadNumber("DSDE_CHAOS_KILLS") ?? DefaultKills,
            ReadNumber("DSDE_CHAOS_JOBS") ?? DefaultJobs
        );

    /// <summary>Whether this is more than the ordinary run: then the database is away for whole minutes as well.</summary>
    public bool IsLong => KillCount > DefaultKills;

    /// <summary>When to give up: far beyond what it takes on a busy machine.</summary>
    public TimeSpan Patience => TimeSpan.FromSeconds(120 + (0.3 * JobCount) + (20 * KillCount));

    private static int? ReadNumber(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
