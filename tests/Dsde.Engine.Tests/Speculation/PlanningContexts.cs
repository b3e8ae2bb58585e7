using Dsde.Engine.Speculation;

namespace Dsde.Engine.Tests.Speculation;

/// <summary>Iterations to plan for policies under test.</summary>
internal static class PlanningContexts
{
    /// <summary>
    /// Nothing bounds the lengths but the engine, the drafts have read all but the last token, and no one else is in the batch.
    /// </summary>
    public static PlanningContext Free(int sequenceCount, int maxLength) =>
        new()
        {
            MaxLengths = Enumerable.Repeat(maxLength, sequenceCount).ToArray(),
            DraftLags = Enumerable.Repeat(1, sequenceCount).ToArray(),
            OtherLengths = [],
        };
}
