namespace Dsde.Templates.Syntax;

/// <summary>
/// Refuses filters and tests that nobody knows, as Jinja does before anything runs. In the branches of a condition they matter only if they
/// are come to.
/// </summary>
/// <param name="isFilter">Whether there is a filter of a name.</param>
/// <param name="isTest">Whether there is a test of a name.</param>
internal sealed class KnownNames(Predicate<string> isFilter, Predicate<string> isTest)
{
    /// <exception cref="TemplateException">One is not known.</exception>
    public void Require(IReadOnlyList<Statement> statements) => Require(statements, isBranch: false);

    private void Require(IEnumerable<Statement> statements, bool isBranch)
    {
        foreach (var statement in statements)
        {
            Require(statement, isBranch);
        }
    }

    private void Require(Statement statement, bool isBranch)
    {
        if (statement is If choice)
        {
            foreach (var (test, body) in choice.Branches)
            {
                Require(test, isBranch: true);
                Require(body, isBranch: true);
            }

            return;
        }

        // What is evaluated around a body belongs to the branch that the statement is in, the body does not.
        var around = statement switch
        {
            ValueOutput output => output.Value,
            Assignment assignment => assignment.Value,
            For loop => loop.Items,
            CallBlock block => block.Call,
            _ => null,
        };
        foreach (var root in statement is With with ? with.Values.Select(pair => pair.Value) : SyntaxWalk.RootsOf(statement))
        {
            Require(root, isBranch && (statement is With || ReferenceEquals(root, around)));
        }

        Require(SyntaxWalk.BodiesOf(statement), isBranch: false);
    }

    private void Require(Expression? expression, bool isBranch)
    {
        switch (expression)
        {
            case null:
                return;
            case Filter filter when !isBranch && !isFilter(filter.FilterName):
                throw new TemplateException(filter.Line, $"No filter named '{filter.FilterName}'.");
            case Test test when !isBranch && !isTest(test.TestName):
                throw new TemplateException(test.Line, $"No test named '{test.TestName}'.");
            default:
                break;
        }

        foreach (var part in SyntaxWalk.PartsOf(expression))
        {
            Require(part, isBranch || expression is Conditional);
        }
    }
}
