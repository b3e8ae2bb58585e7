using Dsde.Analytics.Costs;
using Dsde.Analytics.Positions;

namespace Dsde.Analytics.Replaying;

/// <summary>The outputs of one start of a worker, or of one imported file, to be replayed together.</summary>
/// <param name="Outputs">The outputs, in the order in which they came.</param>
/// <param name="BatchSize">Most outputs at once.</param>
/// <param name="Costs">What iterations cost; null if nothing is known of times.</param>
/// <param name="Measured">What really ran; null for what is imported.</param>
internal sealed record ReplaySource(IReadOnlyList<PositionTrace> Outputs, int BatchSize, TraceCosts? Costs, ReplayCounts? Measured);
