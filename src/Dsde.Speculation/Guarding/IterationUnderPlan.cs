namespace Dsde.Speculation.Guarding;

/// <summary>Expected tokens and time of an iteration while its proposals are being allotted.</summary>
/// <param name="profile">What passes cost.</param>
/// <param name="ratios">How much longer they take now.</param>
/// <param name="sequenceCount">Sequences; each has its one row and token from the start.</param>
/// <param name="forced">Tokens that grammars force: rows and tokens that are there from the start as well.</param>
internal sealed class IterationUnderPlan(CostProfile profile, TimeRatios ratios, int sequenceCount, int forced)
{
    private const int UsualLag = 2; // tokens that a draft has not read after full acceptance
    private const int CatchUpHorizon = 32; // iterations that a draft's reading of what it has missed is spread over
    private readonly List<int> _stepRows = [];
    private double _draftMs;
    private double _owedMs;
    private bool _looksUp;

    /// <summary>Rows of the target's pass.</summary>
    public int Rows { get; private set; } = sequenceCount + forced;

    /// <summary>Tokens that the batch is expected to gain.</summary>
    public double Tokens { get; private set; } = sequenceCount + forced;

    /// <summary>Whether there are proposals, besides what is forced.</summary>
    public bool IsSpeculating => _stepRows.Count > 0 || _looksUp;

    /// <summary>What kind of iteration it is.</summary>
    public IterationKind Kind =>
        _stepRows.Count > 0 ? IterationKind.Drafting
        : _looksUp || forced > 0 ? IterationKind.LookingUp
        : IterationKind.Plain;

    /// <summary>What it is expected to take now.</summary>
    public double Milliseconds => ratios.Of(Kind) * (profile.Price(Rows, _draftMs, Kind) + _owedMs);

    /// <summary>Expected tokens per millisecond.</summary>
    public double Rate => Tokens / Milliseconds;

    /// <summary>
    /// Adds a proposal. That the draft first reads a token or two is part of every iteration; more is owed to earlier iterations without
    /// it, read now for the benefit of many.
    /// </summary>
    /// <param name="step">Its draft step, from 0.</param>
    /// <param name="lag">Tokens that the draft has not read, at least 1; they matter in step 0. 0 for a proposal of lookup, which has no
    /// pass.</param>
    /// <param name="chance">Chance that it is reached and accepted.</param>
    public void Add(int step, int lag, double chance)
    {
        Rows++;
        Tokens += chance;
        if (lag == 0)
        {
            _looksUp = true;
            return;
        }

        var rows = step == 0 ? Math.Min(lag, UsualLag) : 1;
        if (step == _stepRows.Count)
        {
            _stepRows.Add(rows);
        }
        else
        {
            _draftMs -= profile.Draft.At(_stepRows[step]);
            _stepRows[step] += rows;
        }

        _draftMs += profile.Draft.At(_stepRows[step]);
        _owedMs += step == 0 && lag > UsualLag ? (profile.Draft.At(lag) - profile.Draft.At(UsualLag)) / CatchUpHorizon : 0;
    }
}
