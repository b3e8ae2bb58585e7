using Dsde.Speculation;

namespace Dsde.Speculation.Tests;

public class AdaEdlPolicyTests
{
    private const int MaxLength = 7;

    [Fact]
    public void Observe_Follows_The_Published_Update()
    {
        // By hand: r = 0.5·r + 0.5·AR from 0.9; λ′ = λ ± 0.01; λ = 0.9·λ + 0.1·λ′ from 0.5.
        (int Accepted, int Proposed, double Rate, double Threshold)[] steps =
        [
            (7, 7, 0.95, 0.499), // above 0.9, everything accepted: 0.9·0.5 + 0.1·0.49
            (3, 7, 0.689285714285714, 0.5), // below: 0.9·0.499 + 0.1·0.509
            (0, 2, 0.344642857142857, 0.501), // below
            (5, 5, 0.672321428571429, 0.502), // all that was proposed, but r is still below
            (7, 7, 0.836160714285714, 0.503), // below
            (7, 7, 0.918080357142857, 0.502), // above, everything
            (6, 6, 0.959040178571429, 0.502), // above, but drafting stopped before the maximum: unchanged
        ];
        var state = new AdaEdlSequenceState(MaxLength);
        foreach (var (accepted, proposed, rate, threshold) in steps)
        {
            Observe(state, accepted, proposed);
            state.AcceptanceRate.ShouldBe(rate, 1e-12);
            state.Threshold.ShouldBe(threshold, 1e-12);
        }
    }

    [Theory]
    [InlineData(0f, false)]
    [InlineData(2.49f, false)] // 1 − √0.249 = 0.501
    [InlineData(2.51f, true)] // 1 − √0.251 = 0.499
    [InlineData(20f, true)] // the bound is negative
    public void Decide_Stops_Where_The_Bound_Falls_Below_The_Threshold(float entropy, bool stops) =>
        Decide("adaedl", [entropy]).ShouldBe([!stops]);

    [Fact]
    public void Decide_Stops_Single_Sequences_And_On_Request_All()
    {
        Decide("adaedl", [0.1f, 9f, 0.2f]).ShouldBe([true, false, true]);
        Decide("adaedl-batchstop", [0.1f, 9f, 0.2f]).ShouldBe([false, false, false]);
        Decide("adaedl-batchstop", [0.1f, 1f, 0.2f]).ShouldBe([true, true, true]);
    }

    [Theory]
    [InlineData("adaedl", 10, 7)]
    [InlineData("adaedl:3", 10, 3)]
    [InlineData("adaedl:9", 5, 5)]
    public void Plan_Is_The_Base_Within_The_Engines_Bound(string name, int bound, int expected)
    {
        var policy = Policies.Create(name, bound);
        var plans = new SpeculationPlan[2];
        policy.Plan([policy.CreateState(0), policy.CreateState(0)], plans);
        plans.ShouldAllBe(plan => plan.Length == expected);
    }

    [Fact]
    public void Restore_Continues_Where_Export_Stopped()
    {
        var state = new AdaEdlSequenceState(MaxLength);
        Observe(state, 3, 7);
        var restored = new AdaEdlSequenceState(MaxLength);
        restored.Restore(state.Export());
        Observe(state, 7, 7);
        Observe(restored, 7, 7);
        restored.Threshold.ShouldBe(state.Threshold);
        restored.AcceptanceRate.ShouldBe(state.AcceptanceRate);
        Should.Throw<FormatException>(() => restored.Restore([]));
    }

    private static void Observe(AdaEdlSequenceState state, int accepted, int proposed)
    {
        var values = new float[proposed];
        state.Observe(
            new VerifiedStep
            {
                Accepted = accepted,
                Kld = values,
                Beta = values,
                DraftEntropy = values,
                Temperature = 0,
            }
        );
    }

    private static bool[] Decide(string name, float[] entropy)
    {
        var policy = Policies.Create(name, MaxLength);
        var goesOn = Enumerable.Repeat(true, entropy.Length).ToArray();
        policy
            .EarlyStopping.ShouldNotBeNull()
            .Decide(
                new DraftedStep
                {
                    Proposed = 1,
                    States = entropy.Select(_ => policy.CreateState(0)).ToArray(),
                    Entropy = entropy,
                },
                goesOn
            );
        return goesOn;
    }
}
