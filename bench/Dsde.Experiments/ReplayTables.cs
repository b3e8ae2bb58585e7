using System.Globalization;
using Dsde.Analytics.Replaying;
using Dsde.Speculation;

namespace Dsde.Experiments;

/// <summary>Questions 5 and 6 by replay: other numbers in the paper's rule, other policies, and the best there could be.</summary>
internal static class ReplayTables
{
    private const int MaxLength = 10; // the engine's own, which the surveys were made with

    private static readonly DsdeOptions Own = DsdeOptions.Paper;

    private static readonly (string Name, DsdeOptions Options)[] Variants =
    [
        ("as the paper has it", Own),
        ("δ = 0.7", Own with { Decay = 0.7 }),
        ("δ = 0.95", Own with { Decay = 0.95 }),
        ("δ = 1", Own with { Decay = 1 }),
        ("windows 30 and 5", Own with { ShortWindow = 5 }),
        ("windows 30 and 20", Own with { ShortWindow = 20 }),
        ("windows 15 and 5", Own with { LongWindow = 15, ShortWindow = 5 }),
        ("windows 60 and 10", Own with { LongWindow = 60 }),
        ("α = 0.5", Own with { ScaleSteepness = 0.5 }),
        ("α = 1", Own with { ScaleSteepness = 1 }),
        ("α = 4", Own with { ScaleSteepness = 4 }),
        ("calibration 10 tokens", Own with { CalibrationTokens = 10 }),
        ("calibration 60 tokens", Own with { CalibrationTokens = 60 }),
        ("calibration by 4 at once", Own with { InitialLength = 4 }),
        ("c = 0.5", Own with { CalibrationCoefficient = 0.5 }),
    ];

    /// <summary>
    /// The paper's rule with other numbers. One by one the iterations are exact; in a batch who is together is simulated.
    /// </summary>
    public static MarkdownTable Sensitivity(ReplaySet alone, ReplaySet together)
    {
        var table = new MarkdownTable("rule", "mean length", "acceptance", "block efficiency", "tokens/s, 1 at once", "8 at once");
        var policy = PolicyConfiguration.Parse(Plan.Paper);
        var (single, batch) = (new Replay(alone.Sources, MaxLength), new Replay(together.Sources, MaxLength));
        var (singleOwn, batchOwn) = (single.Run(policy).Counts.TokensPerSecond, batch.Run(policy).Counts.TokensPerSecond);
        foreach (var (name, options) in Variants)
        {
            var counts = single.Run(policy, options).Counts;
            table.Add(
                name,
                MarkdownTable.Number(counts.MeanLength),
                MarkdownTable.Percent(counts.AcceptanceRate),
                MarkdownTable.Number(counts.BlockEfficiency),
                Signed((counts.TokensPerSecond / singleOwn) - 1),
                Signed((batch.Run(policy, options).Counts.TokensPerSecond / batchOwn) - 1)
            );
        }

        return table;
    }

    /// <summary>Other policies, and the best that any could do.</summary>
    public static MarkdownTable Policies(ReplaySet together)
    {
        var table = new MarkdownTable("policy", "mean length", "acceptance", "block efficiency", "tokens/s of autoregressive");
        var replay = new Replay(together.Sources, MaxLength);
        var plain = replay.Run(PolicyConfiguration.Autoregressive).Counts.TokensPerSecond;
        foreach (var result in Plan.Policies.Select(policy => replay.Run(PolicyConfiguration.Parse(policy))).Append(replay.RunOracle()))
        {
            table.Add(
                result.Policy,
                MarkdownTable.Number(result.Counts.MeanLength),
                MarkdownTable.Percent(result.Counts.AcceptanceRate),
                MarkdownTable.Number(result.Counts.BlockEfficiency),
                MarkdownTable.Number(result.Counts.TokensPerSecond / plain)
            );
        }

        return table;
    }

    private static string Signed(double? share) =>
        share is { } known ? (100 * known).ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture) + " %" : "–";
}
