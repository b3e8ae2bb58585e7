using System.Text.Json;
using Dsde.Speculation;

namespace Dsde.Speculation.Tests;

/// <summary>Answers of the functions of the reference implementation.</summary>
public class ReferenceVectorTests
{
    [Fact]
    public void Wvir_Follows_The_Reference_To_A_Billionth()
    {
        var cases = Cases("wvir");
        cases.Count.ShouldBe(11);
        foreach (var vector in cases)
        {
            var history = vector.GetProperty("history").EnumerateArray().Select(kld => kld.GetDouble()).ToArray();
            var expected = vector.GetProperty("value").GetDouble();
            var shortWindow = Math.Max(1, history.Length / DsdeConstants.ReferenceShortWindowDivisor);
            KldSignal.Wvir(history, shortWindow, DsdeOptions.Reference.Decay).ShouldBe(expected, Math.Abs(expected) * 1e-9);
        }
    }

    [Fact]
    public void Length_Follows_The_Reference_Exactly()
    {
        var cases = Cases("step");
        cases.Count.ShouldBe(20);
        foreach (var vector in cases)
        {
            var temperature = vector.GetProperty("temperature").GetDouble();
            var mean = vector.GetProperty("mean_kld_last").GetDouble() / (temperature == 0 ? 1 : temperature);
            var minLength = vector.GetProperty("k_min").GetInt32();
            var predicted = KldSignal.PredictedLength(
                KldSignal.ScaleFactor(mean, DsdeOptions.Reference.ScaleSteepness),
                vector.GetProperty("wvir").GetDouble(),
                minLength,
                vector.GetProperty("k_max").GetInt32()
            );
            KldSignal.Length(predicted, minLength).ShouldBe(vector.GetProperty("value").GetInt32(), vector.GetRawText());
        }
    }

    [Fact]
    public void Calibration_Follows_The_Reference_Exactly()
    {
        var cases = Cases("calibration");
        cases.Count.ShouldBe(10);
        foreach (var vector in cases)
        {
            var klds = vector.GetProperty("kld").EnumerateArray().Select(kld => kld.GetDouble()).ToArray();
            var maxAccepted = vector.GetProperty("accepted").EnumerateArray().Max(accepted => accepted.GetInt32());
            var lowerBound = vector.GetProperty("k_min_cfg").GetInt32();
            var maxLength = KldSignal.CalibratedMaxLength(
                maxAccepted,
                klds.Average(),
                klds.Max(),
                DsdeOptions.Reference.CalibrationCoefficient,
                lowerBound,
                vector.GetProperty("k_max_cfg").GetInt32()
            );
            maxLength.ShouldBe(vector.GetProperty("k_max").GetInt32(), vector.GetRawText());
            KldSignal.ReferenceMinLength(maxLength, lowerBound).ShouldBe(vector.GetProperty("k_min").GetInt32(), vector.GetRawText());
        }
    }

    private static List<JsonElement> Cases(string kind)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "dsde_reference.json")));
        return [.. document.RootElement.GetProperty(kind).Clone().EnumerateArray()];
    }
}
