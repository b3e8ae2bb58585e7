using Dsde.Templates.Values;

namespace Dsde.Templates.Syntax;

/// <summary>Goes through everything that is written in a template.</summary>
internal static class SyntaxWalk
{
    /// <summary>All statements, those around before those inside.</summary>
    public static IEnumerable<Statement> StatementsOf(IEnumerable<Statement> statements) =>
        statements.SelectMany(statement => StatementsOf(BodiesOf(statement)).Prepend(statement));

    /// <summary>All expressions of all statements.</summary>
    public static IEnumerable<Expression> ExpressionsOf(IEnumerable<Statement> statements) =>
        StatementsOf(statements).SelectMany(RootsOf).SelectMany(All);

    private static IEnumerable<Statement> BodiesOf(Statement statement) =>
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
            _ => [],
        };

    private static IEnumerable<Expression> RootsOf(Statement statement) =>
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

    private static IEnumerable<Expression> All(Expression expression) => PartsOf(expression).SelectMany(All).Prepend(expression);

    private static IEnumerable<Expression> PartsOf(Expression expression) =>
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
