namespace Dsde.Engine.Speculation.Goodput;

/// <summary>
/// What passes cost on this machine with these models, learnt from every iteration of the engine whatever its policies; never configured.
/// Four curves over rows: a draft pass, a target pass, and the time outside the passes with and without proposals.
/// </summary>
internal sealed class IterationCosts
{
    private const double AssumedDraftShare = 0.1; // of a target pass, until a draft pass was measured
    private const double AssumedRestShare = 0.05;
    private readonly CostCurve _draft = new(),
        _verify = new(),
        _restPlain = new(),
        _restSpeculating = new();

    /// <summary>Iterations with proposals observed.</summary>
    public long SpeculatingCount { get; private set; }

    /// <summary>Iterations without proposals observed.</summary>
    public long PlainCount { get; private set; }

    /// <summary>A draft pass, ms.</summary>
    public double Draft(int rows) => _draft.IsEmpty ? AssumedDraftShare * Verify(rows) : _draft.At(rows);

    /// <summary>A target pass, ms; in arbitrary units until one was measured.</summary>
    public double Verify(int rows) => _verify.IsEmpty ? 1 : _verify.At(rows);

    /// <summary>What an iteration takes besides its passes, ms.</summary>
    /// <param name="rows">Rows of the target pass.</param>
    /// <param name="isSpeculating">Whether there are proposals among them.</param>
    public double Rest(int rows, bool isSpeculating)
    {
        var (curve, other) = isSpeculating ? (_restSpeculating, _restPlain) : (_restPlain, _restSpeculating);
        return !curve.IsEmpty ? curve.At(rows)
            : !other.IsEmpty ? other.At(rows)
            : AssumedRestShare * Verify(rows);
    }

    /// <summary>Takes in an iteration.</summary>
    public void Observe(in IterationTiming timing)
    {
        if (!timing.PassesAreTimed)
        {
            Observe(Apportion(timing));
            return;
        }

        var isSpeculating = timing.Drafts.Count > 0;
        if ((isSpeculating ? SpeculatingCount++ : PlainCount++) == 0)
        {
            return; // the first of a kind is slow: code is compiled, memory found
        }

        double draftMs = 0;
        foreach (var pass in timing.Drafts)
        {
            _draft.Add(pass.Rows, pass.Milliseconds);
            draftMs += pass.Milliseconds;
        }

        _verify.Add(timing.Verify.Rows, timing.Verify.Milliseconds);
        var rest = isSpeculating ? _restSpeculating : _restPlain;
        rest.Add(timing.Verify.Rows, Math.Max(0, timing.TotalMs - draftMs - timing.Verify.Milliseconds));
    }

    /// <summary>
    /// Where only the total is known each part gets its expected share of it; iterations of different make-up then tell the parts apart.
    /// </summary>
    private IterationTiming Apportion(in IterationTiming timing)
    {
        var expected =
            Rest(timing.Verify.Rows, timing.Drafts.Count > 0) + Verify(timing.Verify.Rows) + timing.Drafts.Sum(pass => Draft(pass.Rows));
        var scale = timing.TotalMs / expected;
        return new IterationTiming(
            [.. timing.Drafts.Select(pass => new PassTiming(pass.Rows, scale * Draft(pass.Rows)))],
            new PassTiming(timing.Verify.Rows, scale * Verify(timing.Verify.Rows)),
            timing.TotalMs,
            PassesAreTimed: true
        );
    }
}
