namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>The plan for each number of rows, as tools/Dsde.KernelSearch finds it.</summary>
/// <param name="plans">In ascending order of the rows up to which they hold; the last holds for all above it, too.</param>
internal sealed class TileTable(params (int UpTo, TilePlan Plan)[] plans)
{
    /// <summary>Most rows of any tile.</summary>
    public int MaxTileRows { get; } = plans.Max(entry => entry.Plan.TileRows);

    /// <summary>The plan for some rows.</summary>
    public TilePlan Find(int rows)
    {
        foreach (var (upTo, plan) in plans)
        {
            if (rows <= upTo)
            {
                return plan;
            }
        }

        return plans[^1].Plan;
    }
}
