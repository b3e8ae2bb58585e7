using Dsde.Templates.Library;
using Dsde.Templates.Syntax;

namespace Dsde.Templates.Running;

/// <summary>A template that was read, and what is known of it before it runs.</summary>
/// <param name="Statements">What it does.</param>
/// <param name="Names">What its names mean.</param>
/// <param name="ConstantSlices">Expressions that may be constant and have slices in them.</param>
internal sealed record Program(IReadOnlyList<Statement> Statements, NameAnalysis Names, IReadOnlySet<Expression> ConstantSlices)
{
    /// <exception cref="TemplateException">The statements can't be run.</exception>
    public static Program Of(IReadOnlyList<Statement> statements, int maxDepth)
    {
        SyntaxWalk.RequireShallow(statements, maxDepth);
        new KnownNames(Filters.Has, Tests.Has).Require(statements);
        return new Program(statements, NameAnalysis.Of(statements), Syntax.ConstantSlices.In(statements));
    }
}
