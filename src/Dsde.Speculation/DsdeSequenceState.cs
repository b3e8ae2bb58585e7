namespace Dsde.Speculation;

/// <summary>One sequence under the DSDE policy: first calibrated, then predicted from the stability of its KLDs.</summary>
internal sealed class DsdeSequenceState : ISequencePolicyState
{
    private const int ScalarCount = 9;
    private const int NotCalibrated = -1;
    private readonly DsdeOptions _options;
    private readonly int _lowerBound;
    private readonly int _upperBound;
    private readonly KldHistory _history;
    private int _proposedCount;
    private int _maxAccepted;
    private int _kldCount;
    private double _kldSum;
    private double _maxKld;
    private double _lastMeanKld;

    public DsdeSequenceState(DsdeOptions options, int maxSpeculationLength)
    {
        _options = options;
        _history = new KldHistory(options.LongWindow);
        _upperBound = maxSpeculationLength;
        _lowerBound = Math.Min(DsdeConstants.MinLength, maxSpeculationLength);
        InitialLength = Math.Min(options.InitialLength, maxSpeculationLength);
        MinLength = _lowerBound;
    }

    /// <inheritdoc/>
    public int? CalibrationMaxAccepted => IsCalibrated ? _maxAccepted : null;

    /// <inheritdoc/>
    public int? CalibrationMaxLength { get; private set; }

    /// <summary>Whether the bounds are fixed.</summary>
    public bool IsCalibrated => CalibrationMaxLength is not null;

    /// <summary>Length to propose until then.</summary>
    public int InitialLength { get; private set; }

    /// <summary>Lower bound SL_min.</summary>
    public int MinLength { get; private set; }

    /// <inheritdoc/>
    public void Observe(in VerifiedStep step)
    {
        if (step.Proposed == 0)
        {
            return;
        }

        var counted = _options.Scope == KldScope.OnPath ? Math.Min(step.Accepted + 1, step.Proposed) : step.Proposed;
        double sum = 0;
        foreach (var kld in step.Kld[..counted])
        {
            _history.Add(kld);
            sum += kld;
            _maxKld = Math.Max(_maxKld, kld);
        }

        var temperature = _options.FollowsReference && step.Temperature != 0 ? step.Temperature : 1;
        _lastMeanKld = sum / counted / temperature;
        if (!IsCalibrated)
        {
            Calibrate(step, counted, sum);
        }
    }

    /// <inheritdoc/>
    public double[] Export()
    {
        var history = _history.CopyTo(stackalloc double[_history.Capacity]);
        return
        [
            _proposedCount,
            _maxAccepted,
            _kldCount,
            _kldSum,
            _maxKld,
            _lastMeanKld,
            InitialLength,
            MinLength,
            CalibrationMaxLength ?? NotCalibrated,
            .. history,
        ];
    }

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> exported)
    {
        if (exported.Length < ScalarCount || exported.Length > ScalarCount + _history.Capacity)
        {
            throw new FormatException(
                $"A state of the DSDE policy has {ScalarCount} to {ScalarCount + _history.Capacity} numbers, not {exported.Length}."
            );
        }

        (_proposedCount, _maxAccepted, _kldCount) = ((int)exported[0], (int)exported[1], (int)exported[2]);
        (_kldSum, _maxKld, _lastMeanKld) = (exported[3], exported[4], exported[5]);
        (InitialLength, MinLength) = ((int)exported[6], (int)exported[7]);
        CalibrationMaxLength = exported[8] == NotCalibrated ? null : (int)exported[8];
        foreach (var kld in exported[ScalarCount..])
        {
            _history.Add(kld);
        }
    }

    /// <summary>Prediction from the last step and the history; only after calibration. The plan's length is not capped yet.</summary>
    public SpeculationPlan Predict(out double predictedLength)
    {
        var maxLength = CalibrationMaxLength ?? throw new InvalidOperationException("The sequence is still being calibrated.");
        var history = _history.CopyTo(stackalloc double[_history.Capacity]);
        var shortWindow = _options.FollowsReference
            ? Math.Max(1, history.Length / DsdeConstants.ReferenceShortWindowDivisor)
            : _options.ShortWindow;
        var wvir = KldSignal.Wvir(history, shortWindow, _options.Decay);
        var scaleFactor = KldSignal.ScaleFactor(_lastMeanKld, _options.ScaleSteepness);
        predictedLength = KldSignal.PredictedLength(scaleFactor, wvir, MinLength, maxLength);
        return new SpeculationPlan(KldSignal.Length(predictedLength, MinLength), (float)predictedLength, (float)scaleFactor, (float)wvir);
    }

    private void Calibrate(in VerifiedStep step, int counted, double sum)
    {
        _proposedCount += step.Proposed;
        _maxAccepted = Math.Max(_maxAccepted, step.Accepted);
        _kldCount += counted;
        _kldSum += sum;
        if (_options.FollowsReference && step.Accepted == step.Proposed)
        {
            InitialLength = Math.Min(InitialLength * 2, _upperBound);
        }

        if (_proposedCount >= _options.CalibrationTokens)
        {
            var maxLength = KldSignal.CalibratedMaxLength(
                _maxAccepted,
                _kldSum / _kldCount,
                _maxKld,
                _options.CalibrationCoefficient,
                _lowerBound,
                _upperBound
            );
            MinLength = _options.FollowsReference ? KldSignal.ReferenceMinLength(maxLength, _lowerBound) : _lowerBound;
            CalibrationMaxLength = maxLength;
        }
    }
}
