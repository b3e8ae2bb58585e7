using System.Globalization;

namespace Dsde.Batches.Reporting;

/// <summary>A number of things, for people.</summary>
internal static class Quantity
{
    /// <summary>For example: 1 job, 2 jobs.</summary>
    /// <param name="number">How many.</param>
    /// <param name="noun">The word for one of them; its plural is made with an s.</param>
    public static string Of(long number, string noun) => Of(number, noun, noun + "s");

    /// <summary>The same for what changes with the number in another way, for example: 1 line is, 2 lines are.</summary>
    public static string Of(long number, string one, string many) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {(number == 1 ? one : many)}");
}
