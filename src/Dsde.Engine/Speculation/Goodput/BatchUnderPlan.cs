namespace Dsde.Engine.Speculation.Goodput;

/// <summary>A batch's expected tokens and time while draft tokens are being allocated.</summary>
internal sealed class BatchUnderPlan
{
    private const int SlopeRows = 64; // a pass as long as a catch-up, to tell what one of its rows costs
    private readonly IterationCosts _costs;
    private readonly List<int> _stepRows = [];
    private double _expectedTokens,
        _draftMs,
        _catchUpMs;
    private int _caughtUpTokens;

    /// <param name="costs">Of passes.</param>
    /// <param name="sequenceCount">Sequences to be allocated to; each has its one row and token at the start.</param>
    /// <param name="otherLengths">Lengths of the others, as given.</param>
    /// <param name="otherAcceptance">α̂ assumed for them.</param>
    public BatchUnderPlan(IterationCosts costs, int sequenceCount, ReadOnlySpan<int> otherLengths, double otherAcceptance)
    {
        _costs = costs;
        Rows = sequenceCount;
        _expectedTokens = sequenceCount;
        foreach (var length in otherLengths)
        {
            Rows++;
            _expectedTokens++;
            for (var step = 0; step < length; step++)
            {
                AddToStep(step, 1);
                Rows++;
                _expectedTokens += Math.Pow(otherAcceptance, step + 1);
            }
        }
    }

    /// <summary>Rows of the target's pass.</summary>
    public int Rows { get; private set; }

    /// <summary>Expected tokens per millisecond.</summary>
    public double Rate => _expectedTokens / Milliseconds;

    private double Milliseconds => _costs.Rest(Rows, _stepRows.Count > 0) + _costs.Verify(Rows) + _draftMs + _catchUpMs;

    /// <summary>Rows of a draft step so far.</summary>
    public int RowsIn(int step) => step < _stepRows.Count ? _stepRows[step] : 0;

    /// <summary>Whether another draft may read what it has missed in this iteration.</summary>
    public bool CanCatchUp(int lag) => _caughtUpTokens == 0 || _caughtUpTokens + lag <= GoodputConstants.CatchUpBudget;

    /// <summary>
    /// Adds a proposal. Having to read one or two tokens first is part of every iteration; more is owed to earlier iterations without a
    /// draft, paid now for the benefit of many, and weighed accordingly.
    /// </summary>
    /// <param name="step">Its draft step.</param>
    /// <param name="lag">Tokens the draft has not read, if it is the sequence's first proposal.</param>
    /// <param name="chance">Chance that it is reached and accepted.</param>
    public void Add(int step, int lag, double chance)
    {
        if (step == 0)
        {
            _caughtUpTokens += lag;
            var owed = Math.Max(0, lag - 2);
            if (owed > 0)
            {
                _catchUpMs += owed * (_costs.Draft(SlopeRows) - _costs.Draft(1)) / (SlopeRows - 1) / GoodputConstants.CatchUpHorizon;
            }
        }

        AddToStep(step, step == 0 ? Math.Min(lag, 2) : 1);
        Rows++;
        _expectedTokens += chance;
    }

    private void AddToStep(int step, int rows)
    {
        var before = RowsIn(step);
        if (before == 0)
        {
            _stepRows.Add(rows);
        }
        else
        {
            _stepRows[step] += rows;
            _draftMs -= _costs.Draft(before);
        }

        _draftMs += _costs.Draft(before + rows);
    }
}
