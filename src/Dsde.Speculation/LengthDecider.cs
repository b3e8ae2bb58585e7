namespace Dsde.Speculation;

/// <summary>What was decisive for how many tokens a sequence proposed in an iteration. The numbers are stored.</summary>
public enum LengthDecider
{
    /// <summary>The policy: all that it wished was allowed, if anybody asked.</summary>
    Policy = 0,

    /// <summary>The cost guard: more would have cost more time than it was expected to gain.</summary>
    Guard = 1,

    /// <summary>The cost guard's hold-out: for the sake of measuring, the opposite of what seemed best was done.</summary>
    HoldOut = 2,

    /// <summary>The draft had missed so much that it caught up first; what was allowed follows in the next iteration.</summary>
    CatchUp = 3,
}
