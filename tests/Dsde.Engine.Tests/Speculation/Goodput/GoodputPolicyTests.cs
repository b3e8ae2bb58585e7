using Dsde.Engine.Speculation;
using Dsde.Engine.Speculation.Goodput;
using static Dsde.Engine.Tests.Speculation.Goodput.SimulatedMachine;

namespace Dsde.Engine.Tests.Speculation.Goodput;

/// <summary>The policy against scripted costs and acceptance.</summary>
public class GoodputPolicyTests
{
    private const int Iterations = 1500;

    [Theory]
    [InlineData(1, 0.7, 0.05)]
    [InlineData(1, 0.9, 0.05)]
    [InlineData(1, 0.5, 0.3)]
    [InlineData(8, 0.7, 0.05)]
    [InlineData(8, 0.9, 0.2)]
    [InlineData(32, 0.8, 0.05)]
    [InlineData(32, 0.5, 0.1)]
    public void Plan_Comes_Near_The_Best_Fixed_Length_Without_Being_Told_Costs_Or_Acceptance(
        int batchSize,
        double chance,
        double draftShare
    )
    {
        var best = Enumerable.Range(0, 11).Max(length => ExpectedRate(batchSize, chance, draftShare, length));
        var machine = Machine(batchSize, draftShare, Even(chance));
        (machine.Run(machine.Create("goodput", readsDraftSteps: false), Iterations) / best).ShouldBeGreaterThan(0.97);
    }

    [Theory]
    [InlineData(1, 1.05)]
    [InlineData(8, 1.05)]
    [InlineData(32, 1.03)]
    public void Decide_Draws_More_Than_Any_Fixed_Length_From_A_Draft_Whose_Entropy_Tells_When_It_Errs(int batchSize, double gain)
    {
        var best = BestStatic(() => Machine(batchSize, 0.05, Telling));
        var machine = Machine(batchSize, 0.05, Telling);
        (machine.Run(machine.Create("goodput"), Iterations) / best).ShouldBeGreaterThan(gain);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(32)]
    public void Plan_Useless_Draft_Costs_Next_To_Nothing(int batchSize)
    {
        var plain = Run("autoregressive", Machine(batchSize, 0.1, Even(0.02)), 3000);
        var machine = Machine(batchSize, 0.1, Even(0.02));
        (machine.Run(machine.Create("goodput"), 3000) / plain).ShouldBeGreaterThan(0.985);
        machine.MeanLengths.TakeLast(1000).Count(length => length > 0).ShouldBeInRange(1, 50, "It stops, and goes on probing.");
    }

    [Fact]
    public void Plan_Speculates_Again_Once_The_Draft_Is_Of_Use()
    {
        var machine = Machine(8, 0.05, (_, iteration) => new DraftedPosition(0.5f, iteration < 1000 ? 0.02 : 0.9));
        machine.Run(machine.Create("goodput"), 3000);
        machine.MeanLengths[500..1000].Average().ShouldBeLessThan(0.1);
        machine.MeanLengths.TakeLast(500).Average().ShouldBeGreaterThan(3);
    }

    [Fact]
    public void Plan_At_Break_Even_Does_Not_Thrash()
    {
        // With a draft pass of 0.45 of a target pass about half of the first proposals must be accepted to pay for it.
        var machine = Machine(1, 0.45, Even(0.5));
        machine.Run(machine.Create("goodput"), 3000);
        var switches = machine.MeanLengths.Zip(machine.MeanLengths.Skip(1)).Count(pair => pair.First > 0 != pair.Second > 0);
        switches.ShouldBeLessThan(300, "Probes are two switches each.");
    }

    [Fact]
    public void Plan_Outliers_Of_A_Busy_Machine_Do_Not_Mislead_It()
    {
        var best = BestStatic(() => Machine(8, 0.05, Even(0.8), outlierChance: 0.03));
        var machine = Machine(8, 0.05, Even(0.8), outlierChance: 0.03);
        (machine.Run(machine.Create("goodput", readsDraftSteps: false), 3000) / best).ShouldBeGreaterThan(0.95);
    }

    [Fact]
    public void Plan_A_Slow_First_Iteration_Does_Not_Turn_Speculation_Off()
    {
        var machine = Machine(8, 0.05, Even(0.9));
        machine.Costs.Observe(new([new(8, 400), new(8, 400)], new(24, 900), 4000, true)); // as when code is being compiled
        machine.Run(machine.Create("goodput"), 300);
        machine.MeanLengths[50..].Average().ShouldBeGreaterThan(3);
    }

    [Fact]
    public void NextFirstLength_Costs_Known_From_Other_Policies_Are_Not_Explored_Again()
    {
        var machine = Machine(8, 0.05, Even(0.9));
        var exploration = new CostExploration(machine.Costs);
        exploration.NextFirstLength().ShouldBe(2);
        machine.Run(machine.Create("static:4"), 3);
        exploration.NextFirstLength().ShouldBe(0);
        machine.Run(machine.Create("autoregressive"), 3);
        exploration.NextFirstLength().ShouldBeNull();
    }

    [Theory]
    [InlineData(8, 0.8)]
    [InlineData(8, 0.02)]
    public void Plan_Knows_Costs_From_Whole_Iterations_Where_Passes_Cannot_Be_Timed(int batchSize, double chance)
    {
        var best = Math.Max(
            BestStatic(() => Machine(batchSize, 0.05, Even(chance))),
            Run("autoregressive", Machine(batchSize, 0.05, Even(chance)), Iterations)
        );
        var machine = Machine(batchSize, 0.05, Even(chance), passesAreTimed: false);
        (machine.Run(machine.Create("goodput", readsDraftSteps: false), 2000) / best).ShouldBeGreaterThan(0.93);
    }

    [Fact]
    public void Plan_Takes_The_Others_Rows_As_Given()
    {
        // Alone a second draft token is free until the target's pass has 8 rows; beside others that have filled them it isn't.
        var machine = new SimulatedMachine(_ => 0.2, rows => rows <= 8 ? 10 : 30, 1) { Draft = Even(0.6) };
        var policy = machine.Create("goodput", readsDraftSteps: false);
        machine.Run(policy, 300);
        for (var rows = 1; rows <= 24; rows++)
        {
            for (var i = 0; i < 15; i++)
            {
                machine.Costs.Observe(new([], new(rows, rows <= 8 ? 10 : 30), rows <= 8 ? 10.5 : 30.5, true));
            }
        }

        PlanBeside(policy, []).ShouldBeGreaterThan(2);
        PlanBeside(policy, [0, 0, 0, 0, 0, 0, 0]).ShouldBe(0);
    }

    private static int PlanBeside(ISpeculationPolicy policy, int[] others)
    {
        var plans = new SpeculationPlan[1];
        policy.Plan(
            new PlanningContext
            {
                MaxLengths = [10],
                DraftLags = [1],
                OtherLengths = others,
            },
            [policy.CreateState(1)],
            plans
        );
        return plans[0].Length;
    }

    private static Func<Random, int, DraftedPosition> Even(double chance) => (_, _) => new DraftedPosition(0.5f, chance);

    /// <summary>Sure and right four times in five, and unsure and mostly wrong otherwise.</summary>
    private static DraftedPosition Telling(Random random, int iteration) =>
        random.NextDouble() < 0.8 ? new DraftedPosition(0.1f, 0.98) : new DraftedPosition(2.5f, 0.25);

    private static SimulatedMachine Machine(
        int batchSize,
        double draftShare,
        Func<Random, int, DraftedPosition> draft,
        double outlierChance = 0,
        bool passesAreTimed = true
    ) =>
        new(rows => Pass(rows, 20 * draftShare), rows => Pass(rows, 20), batchSize)
        {
            Draft = draft,
            OutlierChance = outlierChance,
            PassesAreTimed = passesAreTimed,
        };

    private static double ExpectedRate(int batchSize, double chance, double draftShare, int length) =>
        batchSize
        * Enumerable.Range(0, length + 1).Sum(depth => Math.Pow(chance, depth))
        / (RestMs + (MeanNoise * (Pass(batchSize * (length + 1), 20) + (length * Pass(batchSize, 20 * draftShare)))));

    private static double Run(string name, SimulatedMachine machine, int iterations) => machine.Run(machine.Create(name), iterations);

    private static double BestStatic(Func<SimulatedMachine> machine) =>
        Enumerable.Range(1, 10).Max(length => Run($"static:{length}", machine(), Iterations));
}
