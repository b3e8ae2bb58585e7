using System.Globalization;

namespace Dsde.Persistence.Views;

/// <summary>
/// Where a correlation lies with 95 %: by Fisher's transformation, with the wider variance of a rank correlation (Bonett and Wright 2000)
/// for both. It takes the pairs for independent of each other.
/// </summary>
internal static class CorrelationInterval
{
    private const double Quantile = 1.96;

    /// <summary>An expression of one end; null for fewer than 4 pairs, and where one of the two has no spread.</summary>
    /// <param name="correlation">From −1 to 1.</param>
    /// <param name="count">Pairs.</param>
    /// <param name="side">−1 for the lower end, 1 for the upper.</param>
    public static string ToSql(string correlation, string count, int side)
    {
        // Only nearly ±1, where the transformation has no value.
        var bounded =
            $"CASE WHEN {correlation} > 0.999999 THEN 0.999999 WHEN {correlation} < -0.999999 THEN -0.999999 ELSE {correlation} END";
        var quantile = (side * Quantile).ToString(CultureInfo.InvariantCulture);
        var error = $"sqrt((1 + {bounded} * {bounded} / 2) / ({count} - 3))";
        return $"CASE WHEN {count} > 3 THEN tanh(atanh({bounded}) + {quantile} * {error}) END";
    }
}
