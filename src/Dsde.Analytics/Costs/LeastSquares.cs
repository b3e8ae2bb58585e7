namespace Dsde.Analytics.Costs;

/// <summary>Fits y = a·x₁ + b·x₂ where neither a nor b may be negative.</summary>
internal static class LeastSquares
{
    private const double Singular = 1e-9; // determinant, as a share of the product of the diagonal

    /// <summary>Both coefficients; where x₁ and x₂ can't be told apart, all goes to the first. At least one point.</summary>
    public static (double A, double B) Fit(IEnumerable<(double X1, double X2, double Y)> points)
    {
        double s11 = 0,
            s12 = 0,
            s22 = 0,
            s1 = 0,
            s2 = 0;
        foreach (var (x1, x2, y) in points)
        {
            s11 += x1 * x1;
            s12 += x1 * x2;
            s22 += x2 * x2;
            s1 += x1 * y;
            s2 += x2 * y;
        }

        var onlyFirst = (s11 > 0 ? Math.Max(0, s1 / s11) : 0, 0d);
        var determinant = (s11 * s22) - (s12 * s12);
        if (determinant <= Singular * s11 * s22)
        {
            return onlyFirst;
        }

        var (a, b) = (((s1 * s22) - (s2 * s12)) / determinant, ((s2 * s11) - (s1 * s12)) / determinant);
        return a < 0 ? (0, Math.Max(0, s2 / s22))
            : b < 0 ? onlyFirst
            : (a, b);
    }
}
