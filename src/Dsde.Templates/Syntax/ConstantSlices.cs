namespace Dsde.Templates.Syntax;

/// <summary>
/// Expressions that have a slice of something constant in them. Jinja computes constants when it reads a template, and more patiently than
/// when it runs one: there a slice of what has none is undefined, here it is a mistake.
/// </summary>
internal static class ConstantSlices
{
    /// <summary>All of them, told apart by where they stand, not by what they are.</summary>
    public static IReadOnlySet<Expression> In(IReadOnlyList<Statement> statements)
    {
        var found = new HashSet<Expression>(ReferenceEqualityComparer.Instance);
        foreach (var root in SyntaxWalk.RootsIn(statements))
        {
            Mark(root, found);
        }

        return found;
    }

    private static bool Mark(Expression expression, HashSet<Expression> found)
    {
        var isMarked = expression is SliceAccess && MayBeConstant(expression);
        foreach (var part in SyntaxWalk.PartsOf(expression))
        {
            isMarked |= Mark(part, found);
        }

        return isMarked && found.Add(expression);
    }

    /// <summary>
    /// Whether an expression can be computed without what only a running template knows; what is skipped may need anything.
    /// </summary>
    private static bool MayBeConstant(Expression expression) =>
        expression switch
        {
            Name or Call => false,
            Conditional choice => MayBeConstant(choice.Test)
                && (MayBeConstant(choice.Then) || choice.Else is { } otherwise && MayBeConstant(otherwise)),
            Binary { Sign: "and" or "or" } either => MayBeConstant(either.Left),
            _ => SyntaxWalk.PartsOf(expression).All(MayBeConstant),
        };
}
