namespace Dsde.Templates.Syntax;

/// <summary>
/// Names that a template may read before it has set them itself: where it always sets one first, what it is given under that name makes
/// no difference. Narrower than what Jinja looks up, which does not follow the branches of an <c>if</c> that far.
/// </summary>
internal sealed class UnsetNames
{
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    private UnsetNames() { }

    /// <summary>Of a whole template.</summary>
    public static IReadOnlySet<string> Of(IReadOnlyList<Statement> statements)
    {
        var names = new UnsetNames();
        names.Visit(statements, []);
        return names._read;
    }

    /// <summary>Goes through statements in order; <paramref name="set"/> are the names that are set by then, and grow.</summary>
    private void Visit(IEnumerable<Statement> statements, HashSet<string> set)
    {
        foreach (var statement in statements)
        {
            switch (statement)
            {
                case ValueOutput output:
                    Read(output.Value, set);
                    break;
                case If choice:
                    set.UnionWith(VisitBranches(choice, set));
                    break;
                case Assignment assignment:
                    Read(assignment.Value, set);
                    Store(assignment.Target, set);
                    break;
                case BlockAssignment assignment:
                    Visit(assignment.Body, [.. set]);
                    Read(assignment.Filter, set);
                    Store(assignment.Target, set);
                    break;
                case For loop:
                    VisitLoop(loop, set);
                    break;
                case With with:
                    VisitWith(with, set);
                    break;
                case MacroDefinition macro:
                    set.Add(macro.Name);
                    VisitMacro(macro.Body, set);
                    break;
                case CallBlock block:
                    Read(block.Call, set);
                    VisitMacro(block.Body, set);
                    break;
                case FilterBlock block:
                    Read(block.Filter, set);
                    Visit(block.Body, [.. set]);
                    break;
                case ScopedBlock block:
                    Visit(block.Body, [.. set]);
                    break;
                case Block block:
                    Visit(block.Body, []);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>The names that are set whichever branch was taken.</summary>
    private HashSet<string> VisitBranches(If choice, HashSet<string> set)
    {
        HashSet<string>? always = null;
        foreach (var (test, body) in choice.Branches)
        {
            Read(test, set);
            HashSet<string> branch = [.. set];
            Visit(body, branch);
            always?.IntersectWith(branch);
            always ??= branch;
        }

        return choice.Branches[^1].Test is null && always is not null ? always : set;
    }

    /// <summary>What a loop sets is gone with each of its rounds.</summary>
    private void VisitLoop(For loop, HashSet<string> set)
    {
        Read(loop.Items, set);
        HashSet<string> inside = [.. set, "loop"];
        Store(loop.Target, inside);
        Read(loop.Test, inside);
        Visit(loop.Body, inside);
        Visit(loop.Else, [.. set]);
    }

    private void VisitWith(With with, HashSet<string> set)
    {
        HashSet<string> inside = [.. set];
        foreach (var (target, value) in with.Values)
        {
            Read(value, set);
            Store(target, inside);
        }

        Visit(with.Body, inside);
    }

    /// <summary>A macro may be called as soon as it is there.</summary>
    private void VisitMacro(MacroBody macro, HashSet<string> set)
    {
        HashSet<string> inside = [.. set, .. macro.Parameters.Select(parameter => parameter.Name), .. macro.Mentions];
        foreach (var (_, otherwise) in macro.Parameters)
        {
            Read(otherwise, inside);
        }

        Visit(macro.Statements, inside);
    }

    private void Read(Expression? expression, HashSet<string> set)
    {
        var names = expression is null ? [] : SyntaxWalk.All(expression).OfType<Name>();
        _read.UnionWith(names.Select(name => name.Text).Where(name => !set.Contains(name)));
    }

    private void Store(Expression target, HashSet<string> set)
    {
        foreach (var part in SyntaxWalk.All(target))
        {
            switch (part)
            {
                case Name name:
                    set.Add(name.Text);
                    break;
                case NamespaceTarget attribute when !set.Contains(attribute.Namespace):
                    _read.Add(attribute.Namespace);
                    break;
                default:
                    break;
            }
        }
    }
}
