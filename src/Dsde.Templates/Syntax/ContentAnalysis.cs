using Dsde.Templates.Values;

namespace Dsde.Templates.Syntax;

/// <summary>
/// Finds out whether a template goes through the content of messages as a list, as vLLM does: by the names under which messages and their
/// content are known, in loops, assignments and the parameters of macros.
/// </summary>
internal sealed class ContentAnalysis
{
    private readonly HashSet<string> _lists = new(StringComparer.Ordinal) { "messages" };
    private readonly HashSet<string> _messages = new(StringComparer.Ordinal);
    private readonly HashSet<string> _contents = new(StringComparer.Ordinal);

    private ContentAnalysis() { }

    public static ContentUse Of(IReadOnlyList<Statement> statements)
    {
        var all = SyntaxWalk.StatementsOf(statements).ToList();
        var expressions = SyntaxWalk.ExpressionsOf(statements).ToList();
        var macros = all.OfType<MacroDefinition>().ToLookup(macro => macro.Name, StringComparer.Ordinal);
        var analysis = new ContentAnalysis();
        const int mostPasses = 20; // names of names of names: nobody goes further
        for (var (known, pass) = (-1, 0); known != analysis.Count && pass < mostPasses; pass++)
        {
            known = analysis.Count;
            analysis.Learn(all, expressions, macros);
        }

        return !all.OfType<For>().Any(loop => analysis.IsContent(loop.Items)) ? ContentUse.Text
            : expressions.OfType<Test>().Any(test => test.TestName == "string" && analysis.IsContent(test.Operand)) ? ContentUse.TextOrParts
            : ContentUse.Parts;
    }

    private int Count => _lists.Count + _messages.Count + _contents.Count;

    private void Learn(List<Statement> statements, List<Expression> expressions, ILookup<string, MacroDefinition> macros)
    {
        foreach (var statement in statements)
        {
            switch (statement)
            {
                case For { Target: Name target } loop when IsList(loop.Items):
                    _messages.Add(target.Text);
                    break;
                case Assignment { Target: Name target } assignment:
                    Learn(target.Text, assignment.Value);
                    break;
                default:
                    break;
            }
        }

        foreach (var call in expressions.OfType<Call>())
        {
            foreach (var macro in call.Callee is Name callee ? macros[callee.Text] : [])
            {
                foreach (var (parameter, value) in macro.Body.Parameters.Zip(call.Given.Positional))
                {
                    Learn(parameter.Name, value);
                }
            }
        }
    }

    private void Learn(string name, Expression value)
    {
        if (IsList(value))
        {
            _lists.Add(name);
        }

        if (IsMessage(value))
        {
            _messages.Add(name);
        }

        if (IsContent(value))
        {
            _contents.Add(name);
        }
    }

    private bool IsList(Expression expression) =>
        Bare(expression) switch
        {
            Name name => _lists.Contains(name.Text),
            SliceAccess slice => IsList(slice.Owner),
            _ => false,
        };

    private bool IsMessage(Expression expression) =>
        Bare(expression) switch
        {
            Name name => _messages.Contains(name.Text),
            ItemAccess access => IsList(access.Owner),
            _ => false,
        };

    private bool IsContent(Expression expression) =>
        Bare(expression) switch
        {
            Name name => _contents.Contains(name.Text),
            AttributeAccess { Attribute: "content" } access => IsMessage(access.Owner),
            ItemAccess { Key: Literal { Value: Text { Value: "content" } } } access => IsMessage(access.Owner),
            SliceAccess slice => IsContent(slice.Owner),
            _ => false,
        };

    /// <summary>What is filtered.</summary>
    private static Expression Bare(Expression expression) => expression is Filter { Operand: { } operand } ? Bare(operand) : expression;
}
