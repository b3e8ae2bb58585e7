namespace Dsde.Templates.Syntax;

/// <summary>
/// Which variable a name means, as Jinja decides it before anything runs: a body that assigns a name has a variable of its own, and where
/// the assignment is the first that it does with the name, the name is undefined until then, also for the bodies inside, whatever the
/// template was given under it.
/// </summary>
internal sealed class NameAnalysis
{
    private readonly Dictionary<IReadOnlyList<Statement>, string[]> _hidden = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<string> _resolved = new(StringComparer.Ordinal);
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    private NameAnalysis() { }

    /// <summary>
    /// Names that the template reads and that are given to it, if anybody gives them; without those that it always sets before.
    /// </summary>
    public IReadOnlySet<string> Inputs { get; private set; } = new HashSet<string>();

    /// <exception cref="TemplateException">A name is read where the reference can't.</exception>
    public static NameAnalysis Of(IReadOnlyList<Statement> statements)
    {
        var analysis = new NameAnalysis();
        analysis.Analyse(statements, new Names(null), statements);
        analysis.Inputs = analysis
            ._resolved.Intersect(analysis._read, StringComparer.Ordinal)
            .Intersect(UnsetNames.Of(statements), StringComparer.Ordinal)
            .ToHashSet(StringComparer.Ordinal);
        return analysis;
    }

    /// <summary>Names that have no value when a body begins, whatever they mean around it.</summary>
    public IReadOnlyList<string> HiddenIn(IReadOnlyList<Statement> body) => _hidden.GetValueOrDefault(body) ?? [];

    /// <summary>What a body of its own does with names, and then the bodies in it.</summary>
    private void Analyse(IReadOnlyList<Statement> body, Names names, IReadOnlyList<Statement> key, Expression? behind = null)
    {
        Visit(body, names);
        Read(behind, names);
        Finish(names, key);
        foreach (var statement in body)
        {
            Enter(statement, names);
        }
    }

    private void Finish(Names names, IReadOnlyList<Statement>? key)
    {
        _resolved.UnionWith(names.Resolved);
        if (key is not null && names.Hidden is { Length: > 0 } hidden)
        {
            _hidden[key] = hidden;
        }
    }

    /// <summary>A statement's own names, without those of bodies of their own.</summary>
    private void Visit(IEnumerable<Statement> statements, Names names)
    {
        foreach (var statement in statements)
        {
            switch (statement)
            {
                case If choice:
                    VisitBranches(choice, names);
                    break;
                case Assignment assignment:
                    Read(assignment.Value, names);
                    Store(assignment.Target, names);
                    break;
                case BlockAssignment assignment:
                    Store(assignment.Target, names);
                    break;
                case MacroDefinition macro:
                    names.Store(macro.Name);
                    break;
                default:
                    foreach (var expression in OutsideOf(statement))
                    {
                        Read(expression, names);
                    }

                    break;
            }
        }
    }

    /// <summary>What is evaluated before a body of its own is entered.</summary>
    private static IEnumerable<Expression> OutsideOf(Statement statement) =>
        statement switch
        {
            ValueOutput output => [output.Value],
            For loop => [loop.Items],
            With with => with.Values.Select(pair => pair.Value),
            CallBlock block => [block.Call],
            FilterBlock block => [block.Filter],
            _ => [],
        };

    /// <summary>An <c>elif</c> counts as an <c>if</c> in an <c>else</c> of its own, beside the last one.</summary>
    private void VisitBranches(If choice, Names names)
    {
        Read(choice.Branches[0].Test, names);
        var branches = new[] { names.Copy(), names.Copy(), names.Copy() };
        Visit(choice.Branches[0].Body, branches[0]);
        var hasElse = choice.Branches[^1].Test is null;
        for (var i = 1; i < choice.Branches.Count - (hasElse ? 1 : 0); i++)
        {
            Read(choice.Branches[i].Test, branches[1]);
            var inner = new[] { branches[1].Copy(), branches[1].Copy(), branches[1].Copy() };
            Visit(choice.Branches[i].Body, inner[0]);
            branches[1].Join(inner);
        }

        if (hasElse && choice.Branches.Count > 1)
        {
            Visit(choice.Branches[^1].Body, branches[2]);
        }

        names.Join(branches);
    }

    /// <summary>The bodies of a statement that are their own.</summary>
    private void Enter(Statement statement, Names around)
    {
        switch (statement)
        {
            case If choice:
                foreach (var inner in choice.Branches.SelectMany(branch => branch.Body))
                {
                    Enter(inner, around);
                }

                break;
            case For loop:
                EnterLoop(loop, around);
                break;
            case BlockAssignment assignment:
                var names = new Names(around);
                Analyse(assignment.Body, names, assignment.Body);
                RequireKnown(assignment.Filter, names);
                break;
            case With with:
                Analyse(with.Body, With(around, with.Values.Select(pair => pair.Target)), with.Body);
                break;
            case MacroDefinition macro:
                EnterMacro(macro.Body, around);
                break;
            case CallBlock block:
                EnterMacro(block.Body, around);
                break;
            case FilterBlock block:
                Analyse(block.Body, new Names(around), block.Body, block.Filter);
                break;
            case ScopedBlock block:
                Analyse(block.Body, new Names(around), block.Body);
                break;
            case Block block:
                Analyse(block.Body, new Names(null), block.Body);
                break;
            default:
                break;
        }
    }

    private void EnterLoop(For loop, Names around)
    {
        var test = With(around, [loop.Target]);
        Read(loop.Test, test);
        Finish(test, null);
        var body = With(around, [loop.Target]);
        body.Declare("loop");
        Analyse(loop.Body, body, loop.Body);
        Analyse(loop.Else, new Names(around), loop.Else);
    }

    private void EnterMacro(MacroBody macro, Names around)
    {
        var names = new Names(around);
        foreach (var name in macro.Parameters.Select(parameter => parameter.Name).Concat(macro.Mentions))
        {
            names.Declare(name);
        }

        foreach (var (_, otherwise) in macro.Parameters)
        {
            Read(otherwise, names);
        }

        Analyse(macro.Statements, names, macro.Statements);
    }

    private static Names With(Names around, IEnumerable<Expression> targets)
    {
        var names = new Names(around);
        foreach (var name in targets.SelectMany(SyntaxWalk.All).OfType<Name>())
        {
            names.Declare(name.Text);
        }

        return names;
    }

    private void Read(Expression? expression, Names names)
    {
        foreach (var part in expression is null ? [] : SyntaxWalk.All(expression))
        {
            if (part is Name name)
            {
                _read.Add(name.Text);
                names.Load(name.Text);
            }
        }
    }

    private void Store(Expression target, Names names)
    {
        foreach (var part in SyntaxWalk.All(target))
        {
            switch (part)
            {
                case Name name:
                    names.Store(name.Text);
                    break;
                case NamespaceTarget attribute:
                    _read.Add(attribute.Namespace);
                    names.Load(attribute.Namespace);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>
    /// Jinja does not look at the filter of a <c>set</c> block when it decides on names, and fails with those that are new.
    /// </summary>
    private void RequireKnown(Filter? filter, Names names)
    {
        foreach (var name in filter is null ? [] : SyntaxWalk.All(filter).OfType<Name>())
        {
            _read.Add(name.Text);
            if (!names.Knows(name.Text))
            {
                throw new TemplateException(name.Line, $"'{name.Text}' is not known in the filter of this set block");
            }
        }
    }
}
