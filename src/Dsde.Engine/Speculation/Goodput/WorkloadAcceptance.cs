namespace Dsde.Engine.Speculation.Goodput;

/// <summary>
/// What all sequences under the policy have taught so far: where a new one starts from. Greedy and sampled ones are kept apart.
/// </summary>
internal sealed class WorkloadAcceptance
{
    private readonly AcceptanceMean _greedy = new();
    private readonly AcceptanceMean _sampled = new();

    /// <summary>How acceptance depends on the draft's entropy.</summary>
    public ConfidenceModel Confidence { get; } = new();

    /// <summary>Whether observations come from probes: being few, each counts for more, so that a change is noticed.</summary>
    public bool IsProbed { get; set; }

    /// <summary>Observations so far.</summary>
    public long Count { get; private set; }

    /// <summary>Mean acceptance.</summary>
    public double Mean(bool isGreedy) =>
        (isGreedy ? _greedy : _sampled).Read(GoodputConstants.InitialAcceptance, GoodputConstants.InitialWeight);

    /// <summary>Takes in an observation.</summary>
    public void Add(bool isGreedy, double value)
    {
        (isGreedy ? _greedy : _sampled).Add(value, IsProbed ? GoodputConstants.ProbeDecay : GoodputConstants.WorkloadDecay);
        Count++;
    }
}
