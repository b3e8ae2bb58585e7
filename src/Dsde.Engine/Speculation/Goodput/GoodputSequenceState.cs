namespace Dsde.Engine.Speculation.Goodput;

/// <summary>
/// One sequence under the Goodput policy: its acceptance estimate α̂. It counts the proposals up to and including the first rejection:
/// whether a position is among them depends on those before it only, so that they are unbiased, and none has a prefix that the target would
/// not have written. With sampling the expected acceptance β is taken (a Rao–Blackwellised acceptance: no coin in it); greedy acceptance
/// has no coin, and β, which is about sampling, would be biased, so there it is the outcome itself.
/// </summary>
internal sealed class GoodputSequenceState(WorkloadAcceptance workload, bool isGreedy) : ISequencePolicyState
{
    private readonly AcceptanceMean _own = new();

    /// <inheritdoc/>
    public int? CalibrationMaxAccepted => null;

    /// <inheritdoc/>
    public int? CalibrationMaxLength => null;

    /// <summary>α̂: the chance that the next proposal is accepted.</summary>
    public double Acceptance => _own.Read(workload.Mean(isGreedy), GoodputConstants.ShrinkageWeight);

    /// <summary>While drafting: the chance that everything proposed in this iteration is accepted.</summary>
    public double Reach { get; private set; }

    /// <summary>An iteration begins.</summary>
    public void BeginDrafting() => Reach = 1;

    /// <summary>A token was proposed where the draft had this entropy (nats).</summary>
    public void Extend(double entropy) => Reach *= workload.Confidence.Predict(Acceptance, entropy);

    /// <inheritdoc/>
    public void Observe(in VerifiedStep step)
    {
        var judged = Math.Min(step.Accepted + 1, step.Proposed);
        for (var i = 0; i < judged; i++)
        {
            var accepted = i < step.Accepted;
            workload.Confidence.Observe(Acceptance, step.DraftEntropy[i], accepted);
            double value = isGreedy ? (accepted ? 1 : 0) : Math.Clamp(step.Beta[i], 0, 1);
            _own.Add(value, GoodputConstants.SequenceDecay);
            workload.Add(isGreedy, value);
        }
    }

    /// <summary>Everything it knows, as numbers that only a state of the same policy can read.</summary>
    public double[] Export() => [_own.Totals.Sum, _own.Totals.Weight];

    /// <summary>
    /// Takes over what <see cref="Export"/> gave; only while it knows nothing yet. Then it decides as the other would have.
    /// </summary>
    /// <exception cref="FormatException">The numbers are not those of such a state.</exception>
    public void Restore(ReadOnlySpan<double> exported)
    {
        if (exported.Length != 2 || exported[1] < 0)
        {
            throw new FormatException("These numbers are not the state of a sequence under Goodput.");
        }

        _own.Totals = (exported[0], exported[1]);
    }
}
