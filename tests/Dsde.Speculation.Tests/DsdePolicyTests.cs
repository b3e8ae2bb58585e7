using CsCheck;
using Dsde.Speculation;

namespace Dsde.Speculation.Tests;

public class DsdePolicyTests
{
    private static readonly string[] Names = ["dsde", "dsde-nocap", "dsde-reference", "dsde-reference-nocap-onpath"];

    private static readonly Gen<(int Accepted, float[] Kld)[]> Steps = Gen.Select(
        Gen.Int[0, 10],
        Gen.Float[0f, 3f].Array[1, 10],
        (accepted, kld) => (Math.Min(accepted, kld.Length), kld)
    ).Array[1, 25];

    [Fact]
    public void Plan_Any_History_Stays_Within_The_Bounds() =>
        Gen.Select(Steps.Array[1, 6], Gen.Int[1, 12], Gen.Int[0, Names.Length - 1])
            .Sample(
                (histories, max, name) =>
                {
                    foreach (var plan in PlanAll(Names[name], max, histories))
                    {
                        plan.Length.ShouldBeInRange(Math.Min(2, max), max);
                    }
                }
            );

    [Fact]
    public void Plan_With_Cap_Never_Exceeds_The_Same_Without() =>
        Steps
            .Array[1, 6]
            .Sample(histories =>
            {
                var capped = PlanAll("dsde", 10, histories);
                var uncapped = PlanAll("dsde-nocap", 10, histories);
                for (var i = 0; i < capped.Length; i++)
                {
                    capped[i].Length.ShouldBeLessThanOrEqualTo(uncapped[i].Length);
                    capped[i].PredictedLength.ShouldBe(uncapped[i].PredictedLength);
                }
            });

    [Fact]
    public void Plan_Reordered_Batch_Gives_Each_Sequence_The_Same_Length() =>
        Steps
            .Array[2, 6]
            .Sample(histories =>
            {
                var forward = PlanAll("dsde", 10, histories).Select(plan => plan.Length);
                var backward = PlanAll("dsde", 10, [.. histories.Reverse()]).Select(plan => plan.Length);
                backward.Reverse().ShouldBe(forward);
            });

    [Fact]
    public void Plan_Before_Thirty_Proposed_Tokens_Is_The_Initial_Length_And_Shapes_No_Cap()
    {
        var plans = PlanAll("dsde", 10, [Repeat(5, 0.1f, 5, 5), Repeat(6, 0.1f, 5, 5)]);
        plans[0].Length.ShouldBe(8);
        plans[0].Cap.ShouldBe(float.NaN);
        plans[1].Cap.ShouldBe(plans[1].PredictedLength);
    }

    [Fact]
    public void Plan_Paper_Calibration_With_Constant_Kld_Doubles_The_Largest_Accepted_Count()
    {
        var state = Policies.Create("dsde", 10).CreateState(0);
        Observe(state, Repeat(6, 0.1f, 3, 5));
        state.CalibrationMaxAccepted.ShouldBe(3);
        state.CalibrationMaxLength.ShouldBe(6); // mean KLD = max KLD, so 3 · (1 + 1)
    }

    [Fact]
    public void Plan_Reference_Doubles_The_Initial_Length_While_Everything_Is_Accepted() =>
        PlanAll("dsde-reference", 10, [Repeat(1, 0.1f, 4, 4), Repeat(2, 0.1f, 4, 4), Repeat(1, 0.1f, 3, 4)])
            .Select(plan => plan.Length)
            .ShouldBe([8, 10, 4]);

    [Fact]
    public void Plan_One_Unstable_Sequence_Caps_The_Stable_One_At_The_Mean()
    {
        var stable = Repeat(8, 0f, 5, 5);
        var unstable = stable.Append((0, [0.1f, 2f, 0.1f, 2f, 0.1f])).ToArray();
        var plans = PlanAll("dsde", 10, [stable, unstable]);
        plans[0].PredictedLength.ShouldBe(5); // without KLD nothing is added to the largest accepted count
        plans[1].PredictedLength.ShouldBe(2);
        plans.Select(plan => plan.Length).ShouldBe([4, 2]); // mean 3.5, rounded up
    }

    [Fact]
    public void Plan_OnPath_Ignores_What_Follows_The_First_Rejection()
    {
        var calm = Repeat(8, 0.05f, 1, 5);
        var wild = calm.Select(step => (step.Accepted, (float[])[step.Kld[0], step.Kld[1], 3f, 0f, 3f])).ToArray();
        PlanAll("dsde-onpath", 10, [wild])[0].ShouldBe(PlanAll("dsde-onpath", 10, [calm])[0]);
        PlanAll("dsde", 10, [wild])[0].ShouldNotBe(PlanAll("dsde", 10, [calm])[0]);
    }

    private static (int Accepted, float[] Kld)[] Repeat(int steps, float kld, int accepted, int proposed) =>
        [.. Enumerable.Repeat((accepted, Enumerable.Repeat(kld, proposed).ToArray()), steps)];

    private static SpeculationPlan[] PlanAll(string name, int maxLength, (int Accepted, float[] Kld)[][] histories)
    {
        var policy = Policies.Create(name, maxLength);
        var states = histories.Select(history => Observe(policy.CreateState(0), history)).ToArray();
        var plans = new SpeculationPlan[states.Length];
        policy.Plan(states, plans);
        return plans;
    }

    private static ISequencePolicyState Observe(ISequencePolicyState state, (int Accepted, float[] Kld)[] steps)
    {
        foreach (var (accepted, kld) in steps)
        {
            state.Observe(
                new VerifiedStep
                {
                    Accepted = accepted,
                    Kld = kld,
                    Beta = kld,
                    DraftEntropy = kld,
                    Temperature = 1,
                }
            );
        }

        return state;
    }
}
