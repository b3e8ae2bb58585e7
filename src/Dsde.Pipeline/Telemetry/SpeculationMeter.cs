using System.Diagnostics.Metrics;
using Dsde.Engine.Telemetry;
using Dsde.Speculation;

namespace Dsde.Pipeline.Telemetry;

/// <summary>What outputs say of speculation once they have ended, whatever of it is stored: lengths, divergence, who decided.</summary>
internal static class SpeculationMeter
{
    /// <summary>Tokens proposed per iteration.</summary>
    public const string LengthName = "dsde.speculation.length";

    /// <summary>Divergence per proposed token.</summary>
    public const string DivergenceName = "dsde.speculation.kld";

    /// <summary>Ratio of variances per iteration that has one.</summary>
    public const string VarianceRatioName = "dsde.speculation.wvir";

    private static readonly Meter Meter = new(PipelineMeter.Name);

    private static readonly Histogram<long> Lengths = Meter.CreateHistogram<long>(
        LengthName,
        "{token}",
        "Tokens proposed for an output in an iteration, by policy."
    );

    private static readonly Histogram<double> Divergences = Meter.CreateHistogram<double>(
        DivergenceName,
        "{nat}",
        "KL divergence target to draft at proposed tokens, by policy."
    );

    private static readonly Histogram<double> VarianceRatios = Meter.CreateHistogram<double>(
        VarianceRatioName,
        "1",
        "Weighted variance ratio WVIR of iterations whose policy has one."
    );

    private static readonly Counter<long> Decisions = Meter.CreateCounter<long>(
        "dsde.speculation.decisions",
        "{decision}",
        "Speculation lengths, by policy and who decided: policy, guard, hold_out or catch_up."
    );

    private static readonly string[] Deciders = [.. Enum.GetValues<LengthDecider>().Order().Select(NameOf)];

    /// <summary>Notes an output.</summary>
    public static void Record(GenerationTrace trace)
    {
        var policy = KeyValuePair.Create("policy", (object?)trace.Policy.Split(':')[0]); // parameters would be too many
        foreach (var length in trace.Iterations.SpeculationLength)
        {
            Lengths.Record(length, policy);
        }

        foreach (var kld in trace.Proposals.Kld.Where(float.IsFinite))
        {
            Divergences.Record(kld, policy);
        }

        foreach (var ratio in trace.Iterations.Wvir.Where(ratio => WvirMarks.IsMeasured(ratio)))
        {
            VarianceRatios.Record(ratio, policy);
        }

        foreach (var decided in trace.Iterations.DecidedBy.CountBy(decider => decider))
        {
            Decisions.Add(decided.Value, policy, KeyValuePair.Create("decided_by", (object?)Deciders[(int)decided.Key]));
        }
    }

    private static string NameOf(LengthDecider decider) =>
        decider switch
        {
            LengthDecider.Policy => "policy",
            LengthDecider.Guard => "guard",
            LengthDecider.HoldOut => "hold_out",
            _ => "catch_up",
        };
}
