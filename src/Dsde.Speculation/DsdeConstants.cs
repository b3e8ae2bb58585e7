namespace Dsde.Speculation;

/// <summary>
/// Numbers of the DSDE policy (arXiv 2509.01083) that nothing configures; the variants' own are in <see cref="DsdeOptions"/>.
/// </summary>
internal static class DsdeConstants
{
    /// <summary>The short window is this fraction of the values present (reference implementation).</summary>
    public const int ReferenceShortWindowDivisor = 3;

    /// <summary>Keeps the calibration's division defined, ε (paper, eq. 1).</summary>
    public const double Epsilon = 1e-8;

    /// <summary>A long-window variance below this is taken for none (reference implementation).</summary>
    public const double NoVariance = 1e-6;

    /// <summary>WVIR where the long window has no variance (reference implementation).</summary>
    public const double WvirWithoutVariance = 20;

    /// <summary>SL_min (paper); also the reference implementation's configured minimum.</summary>
    public const int MinLength = 2;

    /// <summary>SL_min as a fraction of SL_max (reference implementation).</summary>
    public const double ReferenceMinLengthFraction = 0.1;
}
