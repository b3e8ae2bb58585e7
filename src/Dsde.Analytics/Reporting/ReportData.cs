using System.Text.Json.Serialization;
using Dsde.Statistics;

namespace Dsde.Analytics.Reporting;

/// <summary>Everything a report says, for its page and, as JSON, for programs.</summary>
internal sealed record ReportData
{
    /// <summary>What it is about: database and filter, in words.</summary>
    public required string Subject { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Jobs by state.</summary>
    public required IReadOnlyDictionary<string, long> Jobs { get; init; }

    /// <summary>Failed jobs by their code.</summary>
    public required IReadOnlyDictionary<string, long> Failures { get; init; }

    /// <summary>Outputs of completed jobs with a trace, all of them.</summary>
    public required long Outputs { get; init; }

    /// <summary>Outputs whose figures were read: fewer than all of a very large selection.</summary>
    public required int OutputsRead { get; init; }

    /// <summary>Outputs whose series were read.</summary>
    public required int SeriesRead { get; init; }

    /// <summary>All of them together; null without an output.</summary>
    public ReportGroup? Total { get; init; }

    /// <summary>Like with like: by workload, policy, model and temperature.</summary>
    public required IReadOnlyList<ReportGroup> Groups { get; init; }

    /// <summary>Where the time of an output goes, from sending to the stored end.</summary>
    public required IReadOnlyList<LatencyPart> Latency { get; init; }

    /// <summary>Tokens over time, by worker.</summary>
    public required IReadOnlyList<ThroughputCell> Throughput { get; init; }

    /// <summary>How long proposals were, by length.</summary>
    public required IReadOnlyList<LengthCount> Lengths { get; init; }

    /// <summary>Lengths and signals along the generation.</summary>
    public required IReadOnlyList<CoursePoint> Course { get; init; }

    /// <summary>Accepted share by a signal, in bins of equally many iterations.</summary>
    public required IReadOnlyList<SignalCurve> Curves { get; init; }

    /// <summary>Expected acceptance β against observed acceptance of proposals on the path.</summary>
    public required IReadOnlyList<CalibrationBin> Calibration { get; init; }

    /// <summary>What the signals of a step say of the acceptance in the same step, by temperature.</summary>
    public required IReadOnlyList<SignalCorrelation> Correlations { get; init; }

    /// <summary>How well signals foretell the next step, best first; null unless it was asked for.</summary>
    public IReadOnlyList<TriedSignal>? Signals { get; init; }

    /// <summary>What decided the lengths; empty where no guard was on.</summary>
    public required IReadOnlyList<GuardDecision> Guard { get; init; }

    /// <summary>The outputs that took longest.</summary>
    public required IReadOnlyList<OutputLine> Slowest { get; init; }

    /// <summary>The outputs whose proposals were accepted least.</summary>
    public required IReadOnlyList<OutputLine> LeastAccepted { get; init; }

    /// <summary>Outputs token by token.</summary>
    public required IReadOnlyList<OutputPage> Pages { get; init; }
}

/// <summary>Outputs of one kind.</summary>
internal sealed record ReportGroup
{
    /// <summary>The jobs' label; null without one, and of all together.</summary>
    public string? Workload { get; init; }

    /// <summary>The policy; null of all together.</summary>
    public string? Policy { get; init; }

    /// <summary>The target model; null of all together.</summary>
    public string? TargetModel { get; init; }

    /// <summary>Sampling temperature; null of all together.</summary>
    public float? Temperature { get; init; }

    /// <summary>Outputs.</summary>
    public required int Outputs { get; init; }

    /// <summary>Tokens generated.</summary>
    public required long CompletionTokens { get; init; }

    /// <summary>Tokens of the prompts.</summary>
    public required long PromptTokens { get; init; }

    /// <summary>Proposed tokens.</summary>
    public required long Proposed { get; init; }

    /// <summary>Accepted tokens.</summary>
    public required long Accepted { get; init; }

    /// <summary>Tokens that formats forced: among neither of these.</summary>
    public required long Forced { get; init; }

    /// <summary>Accepted / proposed; null if nothing was proposed.</summary>
    public double? AcceptanceRate { get; init; }

    /// <summary>Emitted tokens per target pass; null without an iteration.</summary>
    public double? BlockEfficiency { get; init; }

    /// <summary>Proposed tokens per iteration in which something was proposed.</summary>
    public double? MeanLength { get; init; }

    /// <summary>Mean KLD of the outputs' means; nats.</summary>
    public double? MeanKld { get; init; }

    /// <summary>Seconds of the machine: the outputs' own shares of every pass.</summary>
    public required double MachineSeconds { get; init; }

    /// <summary>Tokens per second of the machine.</summary>
    public double? TokensPerMachineSecond { get; init; }

    /// <summary>From sending to the stored end: half of the outputs took no longer; seconds.</summary>
    public double? MedianSeconds { get; init; }

    /// <summary>95 of 100 took no longer; seconds.</summary>
    public double? P95Seconds { get; init; }
}

/// <summary>A part of an output's time.</summary>
/// <param name="Name">What it is.</param>
/// <param name="MeanMs">Mean; the parts' means add up to the mean of the whole.</param>
/// <param name="P50Ms">Median.</param>
/// <param name="P90Ms">90th percentile.</param>
/// <param name="P99Ms">99th percentile.</param>
internal sealed record LatencyPart(string Name, double MeanMs, double P50Ms, double P90Ms, double P99Ms);

/// <summary>What a worker generated in a span of time.</summary>
/// <param name="From">Its begin.</param>
/// <param name="Seconds">Its length.</param>
/// <param name="WorkerId">The worker.</param>
/// <param name="Tokens">Tokens of the outputs that ended there.</param>
internal sealed record ThroughputCell(DateTimeOffset From, double Seconds, string WorkerId, long Tokens);

/// <summary>How often so many tokens were proposed.</summary>
/// <param name="Length">Proposed in an iteration.</param>
/// <param name="Iterations">How often.</param>
/// <param name="Accepted">Accepted of these, in all.</param>
internal sealed record LengthCount(int Length, long Iterations, long Accepted);

/// <summary>Means over all outputs that got as far as this iteration.</summary>
/// <param name="Iteration">From 0.</param>
/// <param name="Outputs">Outputs that had it.</param>
/// <param name="Length">Mean proposed tokens.</param>
/// <param name="Cap">Mean cap, where one applied.</param>
/// <param name="Kld">Mean KLD of the proposals; nats.</param>
/// <param name="Wvir">Mean WVIR, where there was one.</param>
internal sealed record CoursePoint(int Iteration, int Outputs, double Length, double? Cap, double? Kld, double? Wvir);

/// <summary>Accepted share by a signal.</summary>
/// <param name="Signal">Its name.</param>
/// <param name="Unit">Its unit; empty without one.</param>
/// <param name="Bins">In the order of the signal.</param>
/// <param name="Points">Some iterations, for the eye: signal and accepted share.</param>
internal sealed record SignalCurve(string Signal, string Unit, IReadOnlyList<SignalBin> Bins, IReadOnlyList<double[]> Points);

/// <summary>Iterations with alike signals.</summary>
/// <param name="Signal">Mean of the signal.</param>
/// <param name="AcceptedShare">Mean accepted share.</param>
/// <param name="Iterations">How many.</param>
internal sealed record SignalBin(double Signal, double AcceptedShare, int Iterations);

/// <summary>Proposals of alike expected acceptance.</summary>
/// <param name="Expected">Mean β, the chance of acceptance that both distributions imply.</param>
/// <param name="Observed">Share that was accepted.</param>
/// <param name="Proposals">How many.</param>
internal sealed record CalibrationBin(double Expected, double Observed, long Proposals);

/// <summary>A signal of a step and the accepted share of the same step.</summary>
/// <param name="Temperature">Of the outputs.</param>
/// <param name="Signal">Its name.</param>
/// <param name="Iterations">Pairs.</param>
/// <param name="Pearson">Linear correlation; null without spread.</param>
/// <param name="PearsonInterval">95 %, by drawing outputs anew; null for too few.</param>
/// <param name="Spearman">Rank correlation; null without spread.</param>
/// <param name="SpearmanInterval">95 %, likewise.</param>
internal sealed record SignalCorrelation(
    float Temperature,
    string Signal,
    int Iterations,
    double? Pearson,
    Interval? PearsonInterval,
    double? Spearman,
    Interval? SpearmanInterval
);

/// <summary>How well a signal that is known before a step foretells what becomes of the step.</summary>
internal sealed record TriedSignal
{
    /// <summary>The jobs' label; null of all steps.</summary>
    public string? Workload { get; init; }

    /// <summary>Sampling temperature; null of all steps.</summary>
    public float? Temperature { get; init; }

    /// <summary>The signal.</summary>
    public required string Signal { get; init; }

    /// <summary>Steps in which something was proposed and the signal was known.</summary>
    public required int Steps { get; init; }

    /// <summary>Rank correlation with the accepted share.</summary>
    public required double Spearman { get; init; }

    /// <summary>95 %; null for too few outputs.</summary>
    public Interval? SpearmanInterval { get; init; }

    /// <summary>Chance that a wholly accepted step has a greater signal than another: 0.5 says nothing. Null if all or none were.</summary>
    public double? Auc { get; init; }

    /// <summary>95 %.</summary>
    public Interval? AucInterval { get; init; }

    /// <summary>Share of the bare rate's log-loss that a logistic fit on the signal's rank takes away; null if all or none were.</summary>
    public double? LogLossGain { get; init; }

    /// <summary>95 %.</summary>
    public Interval? LogLossGainInterval { get; init; }
}

/// <summary>What decided lengths.</summary>
/// <param name="DecidedBy">The policy, the guard, its hold-out, or a draft that caught up first.</param>
/// <param name="Iterations">How often.</param>
/// <param name="MeanWish">What the policy wished; tokens.</param>
/// <param name="MeanAllowed">What the guard allowed; tokens.</param>
internal sealed record GuardDecision(string DecidedBy, long Iterations, double MeanWish, double MeanAllowed);

/// <summary>An output in a list.</summary>
internal sealed record OutputLine
{
    /// <summary>The job.</summary>
    public required Guid JobId { get; init; }

    /// <summary>Which of its outputs.</summary>
    public required int Choice { get; init; }

    /// <summary>The submitter's name for the job.</summary>
    public string? CustomId { get; init; }

    /// <summary>Its label.</summary>
    public string? Workload { get; init; }

    /// <summary>Its policy.</summary>
    public required string Policy { get; init; }

    /// <summary>Tokens generated.</summary>
    public required int CompletionTokens { get; init; }

    /// <summary>Accepted / proposed; null if nothing was proposed.</summary>
    public double? AcceptanceRate { get; init; }

    /// <summary>From sending to the stored end; seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>In the engine; seconds.</summary>
    public required double EngineSeconds { get; init; }
}

/// <summary>An output token by token.</summary>
/// <param name="Output">Which.</param>
/// <param name="Text">Its text; null where texts are not stored.</param>
/// <param name="Tokens">Its tokens in order; empty where series are not stored.</param>
internal sealed record OutputPage(OutputLine Output, string? Text, IReadOnlyList<OutputToken> Tokens);

/// <summary>Where a token came from.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TokenOrigin>))]
internal enum TokenOrigin
{
    /// <summary>The prompt's pass.</summary>
    Prompt,

    /// <summary>The only one that the output's format allowed.</summary>
    Forced,

    /// <summary>A proposal that was accepted.</summary>
    Accepted,

    /// <summary>The target's own in place of a rejected proposal.</summary>
    Corrected,

    /// <summary>The target's own behind proposals that were all accepted, or without any.</summary>
    Bonus,
}

/// <summary>A generated token.</summary>
/// <param name="Iteration">Where it came from; null of the prompt's pass.</param>
/// <param name="Origin">How it came.</param>
/// <param name="Kld">KLD of target and draft at the proposal there; null where nothing was proposed.</param>
/// <param name="Beta">Expected acceptance there.</param>
internal sealed record OutputToken(int? Iteration, TokenOrigin Origin, float? Kld, float? Beta);
