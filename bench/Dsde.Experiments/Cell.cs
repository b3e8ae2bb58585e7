using System.Globalization;

namespace Dsde.Experiments;

/// <summary>One thing to measure: a policy, and the conditions it works under.</summary>
/// <param name="Policy">The policy, as <c>dsde run --policy</c> takes it.</param>
/// <param name="Temperature">Sampling temperature of all jobs.</param>
/// <param name="BatchSize">Most sequences at once.</param>
/// <param name="IsMismatched">Whether the draft is one that is right by accident only.</param>
/// <param name="IsSurveyed">
/// Whether every output is worked through once more for replay, with coupled instead of rejection sampling; such cells are not timed.
/// </param>
internal sealed record Cell(string Policy, double Temperature, int BatchSize, bool IsMismatched = false, bool IsSurveyed = false)
{
    /// <summary>The name of its folder.</summary>
    public string Name =>
        string.Join(
            "-",
            Policy.Replace(':', '_'),
            "t" + Temperature.ToString(CultureInfo.InvariantCulture),
            "b" + BatchSize.ToString(CultureInfo.InvariantCulture)
        )
        + (IsMismatched ? "-mismatched" : "")
        + (IsSurveyed ? "-surveyed" : "");
}
