using CsCheck;
using Dsde.Speculation.Guarding;

namespace Dsde.Speculation.Tests.Guarding;

public class CostCurveTests
{
    [Fact]
    public void Between_measured_points_runs_the_line_and_beyond_the_last_its_slope()
    {
        var curve = Fit((1, 10), (4, 16), (8, 18));
        curve.At(1).ShouldBe(10);
        curve.At(2).ShouldBe(12);
        curve.At(3).ShouldBe(14);
        curve.At(4).ShouldBe(16);
        curve.At(6).ShouldBe(17);
        curve.At(8).ShouldBe(18);
        curve.At(12).ShouldBe(20);
    }

    [Fact]
    public void A_single_point_holds_for_all_rows()
    {
        var curve = Fit((2, 7));
        curve.At(1).ShouldBe(7);
        curve.At(2).ShouldBe(7);
        curve.At(100).ShouldBe(7);
    }

    [Fact]
    public void Of_several_times_of_a_point_the_median_counts()
    {
        Fit((4, 10), (4, 500), (4, 11)).At(4).ShouldBe(11);
        Fit((4, 10), (4, 12), (4, 500), (4, 9)).At(4).ShouldBe(11);
    }

    [Fact]
    public void Neighbours_that_contradict_that_more_rows_take_more_time_are_averaged()
    {
        var curve = Fit((1, 5), (2, 14), (3, 11), (3, 11), (4, 20));
        curve.At(1).ShouldBe(5);
        curve.At(2).ShouldBe(12);
        curve.At(3).ShouldBe(12);
        curve.At(4).ShouldBe(20);
    }

    [Fact]
    public void More_rows_never_take_less_time_whatever_was_measured() =>
        Gen.Select(Gen.Int[1, 300], Gen.Double[0.1, 100])
            .Array[1, 60]
            .Sample(
                measurements =>
                {
                    var curve = Fit(measurements);
                    for (var rows = 1; rows < 400; rows++)
                    {
                        curve.At(rows).ShouldBeGreaterThan(0);
                        curve.At(rows + 1).ShouldBeGreaterThanOrEqualTo(curve.At(rows) - 1e-9);
                    }
                },
                iter: 200
            );

    [Fact]
    public void Without_measurements_there_is_no_curve() => CostCurve.Fit([]).ShouldBeNull();

    private static CostCurve Fit(params (int Rows, double Milliseconds)[] measurements) => CostCurve.Fit(measurements).ShouldNotBeNull();
}
