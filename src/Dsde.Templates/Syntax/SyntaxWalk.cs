using Dsde.Templates.Running;

namespace Dsde.Templates.Syntax;

/// <summary>Goes through everything that is written in a template.</summary>
internal static class SyntaxWalk
{
    /// <summary>All statements, those around before those inside.</summary>
    public static IEnumerable<Statement> StatementsOf(IEnumerable<Statement> statements) =>
        statements.SelectMany(statement => StatementsOf(BodiesOf(statement)).Prepend(statement));

    /// <summary>All expressions of all statements.</summary>
    public static IEnumerable<Expression> ExpressionsOf(IEnumerable<Statement> statements) => RootsIn(statements).SelectMany(All);

    /// <summary>The expressions of all statements that stand in no other.</summary>
    public static IEnumerable<Expression> RootsIn(IEnumerable<Statement> statements) => StatementsOf(statements).SelectMany(RootsOf);

    /// <summary>The statements in a statement.</summary>
    public static IEnumerable<Statement> BodiesOf(Statement statement) =>
        statement switch
        {
            If choice => choice.Branches.SelectMany(branch => branch.Body),
            For loop => loop.Body.Concat(loop.Else),
            BlockAssignment assignment => assignment.Body,
            With with => with.Body,
            MacroDefinition macro => macro.Body.Statements,
            CallBlock block => block.Body.Statements,
            FilterBlock block => block.Body,
            ScopedBlock block => block.Body,
            Block block => block.Body,
            _ => [],
        };

    /// <summary>The expressions that stand in a statement itself.</summary>
    public static IEnumerable<Expression> RootsOf(Statement statement) =>
        statement switch
        {
            ValueOutput output => [output.Value],
            If choice => choice.Branches.Select(branch => branch.Test).OfType<Expression>(),
            For loop => Some(loop.Items, loop.Test),
            Assignment assignment => [assignment.Value],
            BlockAssignment { Filter: { } filter } => [filter],
            With with => with.Values.Select(pair => pair.Value),
            MacroDefinition macro => macro.Body.Parameters.Select(parameter => parameter.Default).OfType<Expression>(),
            CallBlock block => [block.Call],
            FilterBlock block => [block.Filter],
            _ => [],
        };

    /// <summary>An expression and all in it, in the order in which they are written. Takes no stack, however deep they are.</summary>
    public static IEnumerable<Expression> All(Expression expression) => WithDepth(expression).Select(part => part.Expression);

    /// <summary>Refuses what is nested too deep to be worked with by recursion.</summary>
    /// <exception cref="TemplateException">An expression is deeper than the limit.</exception>
    public static void RequireShallow(IEnumerable<Statement> statements, int maxDepth)
    {
        foreach (var (expression, depth) in RootsIn(statements).SelectMany(WithDepth))
        {
            if (depth > maxDepth)
            {
                throw Budget.TooDeep(maxDepth).At(expression.Line);
            }
        }
    }

    private static IEnumerable<(Expression Expression, int Depth)> WithDepth(Expression root)
    {
        var left = new Stack<(Expression Expression, int Depth)>([(root, 1)]);
        while (left.TryPop(out var next))
        {
            yield return next;
            foreach (var part in PartsOf(next.Expression).Reverse())
            {
                left.Push((part, next.Depth + 1));
            }
        }
    }

    /// <summary>What an expression is made of.</summary>
    public static IEnumerable<Expression> PartsOf(Expression expression) =>
        expression switch
        {
            ListLiteral list => list.Items,
            TupleLiteral tuple => tuple.Items,
            DictLiteral dict => dict.Entries.SelectMany(entry => Some(entry.Key, entry.Value)),
            Unary unary => [unary.Operand],
            Binary binary => [binary.Left, binary.Right],
            Concatenation concatenation => concatenation.Parts,
            ComparisonChain chain => chain.Rest.Select(part => part.Operand).Prepend(chain.First),
            Conditional conditional => Some(conditional.Test, conditional.Then, conditional.Else),
            AttributeAccess access => [access.Owner],
            ItemAccess access => [access.Owner, access.Key],
            SliceAccess slice => Some(slice.Owner, slice.Start, slice.Stop, slice.Step),
            Call call => call.Given.All.Prepend(call.Callee),
            Filter filter => Some(filter.Operand).Concat(filter.Given.All),
            Test test => test.Given.All.Prepend(test.Operand),
            _ => [],
        };

    private static IEnumerable<Expression> Some(params Expression?[] expressions) => expressions.OfType<Expression>();
}
