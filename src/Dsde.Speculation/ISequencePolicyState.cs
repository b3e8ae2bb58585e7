namespace Dsde.Speculation;

/// <summary>What a policy knows about one sequence.</summary>
public interface ISequencePolicyState
{
    /// <summary>Largest accepted count of any calibration step (SL_A,max); null before calibration has ended or without one.</summary>
    int? CalibrationMaxAccepted { get; }

    /// <summary>Upper bound fixed by calibration (SL_max); null as above.</summary>
    int? CalibrationMaxLength { get; }

    /// <summary>Takes in one verified step. Steps in which nothing was proposed are not reported.</summary>
    void Observe(in VerifiedStep step);

    /// <summary>
    /// Everything it knows, as numbers that only a state of the same policy can read; none of them is NaN. Empty if it knows nothing.
    /// </summary>
    double[] Export() => [];

    /// <summary>
    /// Takes over what <see cref="Export"/> gave; only while it knows nothing yet. Then it decides as the other would have.
    /// </summary>
    /// <exception cref="FormatException">The numbers are not those of such a state.</exception>
    void Restore(ReadOnlySpan<double> exported) { }
}
