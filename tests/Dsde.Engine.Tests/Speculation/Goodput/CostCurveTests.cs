using CsCheck;
using Dsde.Engine.Speculation.Goodput;

namespace Dsde.Engine.Tests.Speculation.Goodput;

public class CostCurveTests
{
    [Fact]
    public void At_Keeps_A_Step_Between_Kernels()
    {
        var curve = Measured(repeats: 15, (8, 10), (9, 16), (10, 16));
        curve.At(8).ShouldBe(10, 1);
        curve.At(9).ShouldBe(16, 1);
    }

    [Fact]
    public void At_Ignores_Outliers()
    {
        var curve = Measured(repeats: 10, (4, 10));
        curve.Add(4, 500);
        curve.Add(4, 300);
        curve.At(4).ShouldBe(10);
    }

    [Fact]
    public void At_Unmeasured_Rows_Rise_Gently_From_The_Nearest()
    {
        var curve = Measured(repeats: 5, (4, 10));
        curve.At(5).ShouldBeInRange(10.01, 10.5);
        curve.At(3).ShouldBeInRange(9.5, 9.99);
        curve.At(64).ShouldBeInRange(11, 160);
    }

    [Fact]
    public void At_One_Slow_Measurement_Is_Doubted_And_With_Time_Forgotten()
    {
        var curve = Measured(repeats: 15, (9, 10), (10, 10));
        curve.Add(11, 40);
        curve.At(11).ShouldBeLessThan(20);
        for (var i = 0; i < 1000; i++)
        {
            curve.Add(10, 10);
        }

        curve.At(11).ShouldBeLessThan(11);
    }

    [Fact]
    public void At_More_Rows_Never_Take_Less_Time() =>
        Gen.Select(Gen.Int[1, 300], Gen.Double[0.1, 100])
            .Array[1, 60]
            .Sample(
                measurements =>
                {
                    var curve = Measured(1, measurements);
                    for (var rows = 1; rows < 400; rows++)
                    {
                        curve.At(rows).ShouldBeGreaterThan(0);
                        curve.At(rows + 1).ShouldBeGreaterThanOrEqualTo(curve.At(rows) - 1e-9);
                    }
                },
                iter: 200
            );

    private static CostCurve Measured(int repeats, params (int Rows, double Milliseconds)[] measurements)
    {
        var curve = new CostCurve();
        for (var i = 0; i < repeats; i++)
        {
            foreach (var (rows, milliseconds) in measurements)
            {
                curve.Add(rows, milliseconds);
            }
        }

        return curve;
    }
}
