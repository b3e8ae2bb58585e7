using Dsde.Grammars.Automata;

namespace Dsde.Grammars.Schemas;

/// <summary>The automata of numbers.</summary>
internal static class NumberSchemas
{
    /// <summary>The bounds of a schema's numbers.</summary>
    /// <exception cref="GrammarException">A keyword does not do.</exception>
    public static (decimal? Least, bool IsAbove, decimal? Most, bool IsBelow) FindBounds(SchemaNode schema)
    {
        var (least, above) = (schema.Number("minimum"), schema.Number("exclusiveMinimum"));
        var (most, below) = (schema.Number("maximum"), schema.Number("exclusiveMaximum"));
        var (isAbove, isBelow) = (above is not null && !(least > above), below is not null && !(most < below));
        return (isAbove ? above : least, isAbove, isBelow ? below : most, isBelow);
    }

    /// <summary>The automaton of a schema's numbers.</summary>
    /// <exception cref="GrammarException">A keyword does not do, or no number lies within the bounds.</exception>
    public static Terminal Create(SchemaNode schema, bool isWhole)
    {
        var (least, isAbove, most, isBelow) = FindBounds(schema);
        if (least is null && most is null)
        {
            return isWhole ? AnyValue.WholeNumber : AnyValue.Number;
        }

        // Bounds that no number written here reaches bind nobody.
        (least, isAbove) = least < -NumberRange.LargestBound ? (null, false) : (least, isAbove);
        (most, isBelow) = most > NumberRange.LargestBound ? (null, false) : (most, isBelow);
        return (
                least > NumberRange.LargestBound || most < -NumberRange.LargestBound
                    ? null
                    : NumberRange.Create(isWhole, least, isAbove, most, isBelow)
            )
            ?? throw schema.Mistake(
                $"has no number within its bounds that has at most {NumberRange.MostWholeDigits} digits before the point and "
                    + (isWhole ? "none behind it" : $"{NumberRange.MostFractionDigits} behind it")
            );
    }
}
