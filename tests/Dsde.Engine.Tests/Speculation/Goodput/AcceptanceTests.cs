using Dsde.Engine.Speculation;
using Dsde.Engine.Speculation.Goodput;

namespace Dsde.Engine.Tests.Speculation.Goodput;

public class AcceptanceTests
{
    [Fact]
    public void Mean_Is_Shrunk_Towards_The_Prior_And_Forgets()
    {
        var mean = new AcceptanceMean();
        mean.Read(0.6, 3).ShouldBe(0.6);
        mean.Add(1, 0.5);
        mean.Read(0.6, 3).ShouldBe((1.8 + 1) / 4);
        mean.Add(0, 0.5);
        mean.Read(0.6, 3).ShouldBe((1.8 + 0.5) / 4.5, 1e-12);
        mean.Read(0.6, 0).ShouldBe(1 / 3d, 1e-12);
    }

    [Theory]
    [InlineData(1f, 0.5)] // sampled: β of the two accepted and the rejected one, not of those behind it
    [InlineData(0f, 2 / 3d)] // greedy: two of three
    public void Acceptance_Counts_The_Proposals_On_The_Path(float temperature, double expected)
    {
        var workload = new WorkloadAcceptance();
        var state = new GoodputSequenceState(workload, isGreedy: temperature == 0);
        for (var i = 0; i < 1000; i++)
        {
            state.Observe(
                new VerifiedStep
                {
                    Accepted = 2,
                    Kld = new float[5],
                    Beta = [0.5f, 0.5f, 0.5f, 1f, 1f],
                    DraftEntropy = new float[5],
                    Temperature = temperature,
                }
            );
        }

        state.Acceptance.ShouldBe(expected, 0.03);
        // a new one starts where the workload is
        new GoodputSequenceState(workload, isGreedy: temperature == 0).Acceptance.ShouldBe(expected, 0.03);
    }

    [Fact]
    public void Restore_Continues_Where_Export_Stopped()
    {
        var workload = new WorkloadAcceptance();
        var state = new GoodputSequenceState(workload, isGreedy: true);
        state.Observe(
            new VerifiedStep
            {
                Accepted = 1,
                Kld = new float[3],
                Beta = new float[3],
                DraftEntropy = new float[3],
                Temperature = 0,
            }
        );
        var restored = new GoodputSequenceState(workload, isGreedy: true);
        restored.Restore(state.Export());
        restored.Acceptance.ShouldBe(state.Acceptance);
        restored.Acceptance.ShouldNotBe(new GoodputSequenceState(workload, isGreedy: true).Acceptance);
        Should.Throw<FormatException>(() => restored.Restore([1]));
    }

    [Fact]
    public void Confidence_Learns_Which_Entropies_Are_Accepted()
    {
        var model = new ConfidenceModel();
        var random = new Random(3);
        for (var i = 0; i < 2000; i++)
        {
            var isSure = random.NextDouble() < 0.7;
            model.Observe(0.8, isSure ? 0.1 : 3, random.NextDouble() < (isSure ? 0.95 : 0.3));
        }

        model.Predict(0.8, 0.1).ShouldBe(0.95, 0.04);
        model.Predict(0.8, 3).ShouldBe(0.3, 0.08);
    }
}
