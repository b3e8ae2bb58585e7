using System.Globalization;

namespace Dsde.Grammars.Automata;

/// <summary>
/// Decimal numbers between bounds, as text: <c>-?(0|[1-9]d*)(\.d+)?</c>, without a negative zero. Digits are compared with those of the
/// bounds as they come.
/// </summary>
internal static class NumberRange
{
    /// <summary>Most digits before the point: whole numbers fit 64 bits.</summary>
    public const int MostWholeDigits = 18;

    /// <summary>Most digits behind the point: what double precision tells apart.</summary>
    public const int MostFractionDigits = 15;

    /// <summary>Most that a bound may be, up or down: what <see cref="MostWholeDigits"/> can write.</summary>
    public const decimal LargestBound = 999_999_999_999_999_999;

    /// <summary>The automaton; null if there is no such number.</summary>
    /// <param name="isWhole">Whether only whole numbers count, written without a point.</param>
    /// <param name="least">The lower bound; null for none.</param>
    /// <param name="isAbove">Whether the lower bound itself is left out.</param>
    /// <param name="most">The upper bound; null for none.</param>
    /// <param name="isBelow">Whether the upper bound itself is left out.</param>
    public static ByteDfa? Create(bool isWhole, decimal? least, bool isAbove, decimal? most, bool isBelow)
    {
        var positive = new Magnitudes(isWhole, least, isAbove, most, isBelow);
        var negative = new Magnitudes(isWhole, Max(-most, 0), most >= 0 || isBelow || most is null, -least, isAbove);
        return DfaBuilder.Build<Place>(
            new Place(Phase.Start),
            (place, value) =>
                place.Phase == Phase.Start && value == '-' ? new Place(Phase.Minus)
                : place.Phase == Phase.Start ? positive.Next(place, value)
                : place.Phase == Phase.Minus ? negative.Next(place with { IsNegative = true }, value)
                : (place.IsNegative ? negative : positive).Next(place, value),
            place => (place.IsNegative ? negative : positive).IsWithin(place)
        );
    }

    private static decimal Max(decimal? value, decimal floor) => Math.Max(value ?? floor, floor);

    private enum Phase
    {
        Start,
        Minus,
        Whole,
        Zero,
        Point,
        Fraction,
    }

    /// <summary>How far a number has been read: its digits and how they compare with as many of each bound's.</summary>
    private readonly record struct Place(Phase Phase, bool IsNegative = false, int Digits = 0, int ToLeast = 0, int ToMost = 0);

    /// <summary>Numbers without their sign.</summary>
    private sealed class Magnitudes(bool isWhole, decimal? least, bool isAbove, decimal? most, bool isBelow)
    {
        private readonly (string Whole, string Fraction)? _least = least is { } low && low >= 0 ? DigitsOf(low) : null;
        private readonly (string Whole, string Fraction)? _most = most is { } high && high >= 0 ? DigitsOf(high) : null;
        private readonly bool _isEmpty = most < 0;

        public Place? Next(Place place, byte value)
        {
            if (_isEmpty)
            {
                return null;
            }

            if (value == '.')
            {
                return place.Phase is Phase.Whole or Phase.Zero && !isWhole
                    ? EndWhole(place) with
                    {
                        Phase = Phase.Point,
                        Digits = 0,
                    }
                    : null;
            }

            if (value is < (byte)'0' or > (byte)'9')
            {
                return null;
            }

            return place.Phase switch
            {
                Phase.Start or Phase.Minus => AddWhole(place with { Phase = value == '0' ? Phase.Zero : Phase.Whole }, value),
                Phase.Whole when place.Digits < MostWholeDigits => AddWhole(place, value),
                Phase.Point or Phase.Fraction when place.Digits < MostFractionDigits => AddFraction(place, value),
                _ => null,
            };
        }

        public bool IsWithin(Place place)
        {
            if (place.Phase is not (Phase.Whole or Phase.Zero or Phase.Fraction))
            {
                return false;
            }

            var end = place.Phase == Phase.Fraction ? place : EndWhole(place) with { Digits = 0 };
            var toLeast = end.ToLeast == 0 && _least?.Fraction.Length > end.Digits ? -1 : end.ToLeast;
            var toMost = end.ToMost == 0 && _most?.Fraction.Length > end.Digits ? -1 : end.ToMost;
            return (_least is null || (isAbove ? toLeast > 0 : toLeast >= 0)) && (_most is null || (isBelow ? toMost < 0 : toMost <= 0));
        }

        private Place AddWhole(Place place, byte digit) =>
            place with
            {
                Digits = place.Digits + 1,
                ToLeast = Compare(place.ToLeast, _least?.Whole, place.Digits, digit),
                ToMost = Compare(place.ToMost, _most?.Whole, place.Digits, digit),
            };

        private Place AddFraction(Place place, byte digit) =>
            place with
            {
                Phase = Phase.Fraction,
                Digits = place.Digits + 1,
                ToLeast = Compare(place.ToLeast, _least?.Fraction, place.Digits, digit, padding: '0'),
                ToMost = Compare(place.ToMost, _most?.Fraction, place.Digits, digit, padding: '0'),
            };

        /// <summary>Of whole numbers the longer one is larger.</summary>
        private Place EndWhole(Place place) =>
            place with
            {
                ToLeast = _least is { } low && low.Whole.Length != place.Digits ? place.Digits.CompareTo(low.Whole.Length) : place.ToLeast,
                ToMost = _most is { } high && high.Whole.Length != place.Digits ? place.Digits.CompareTo(high.Whole.Length) : place.ToMost,
            };

        private static int Compare(int before, string? bound, int index, byte digit, char? padding = null) =>
            bound is null || before != 0 ? before
            : index < bound.Length ? Math.Sign(digit - bound[index])
            : padding is { } zero ? Math.Sign(digit - zero)
            : before;

        private static (string, string) DigitsOf(decimal value)
        {
            var text = value.ToString("0.############################", CultureInfo.InvariantCulture);
            var point = text.IndexOf('.', StringComparison.Ordinal);
            return point < 0 ? (text, "") : (text[..point], text[(point + 1)..]);
        }
    }
}
