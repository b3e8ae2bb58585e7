using Dsde.Templates.Library;
using Dsde.Templates.Operators;
using Dsde.Templates.Syntax;
using Dsde.Templates.Values;

namespace Dsde.Templates.Running;

/// <summary>Runs the statements of one rendering.</summary>
/// <param name="program">The template.</param>
/// <param name="given">What it is given.</param>
/// <param name="time">For the date of today.</param>
/// <param name="budget">What it may use.</param>
internal sealed partial class Machine(Program program, Scope given, TimeProvider time, Budget budget)
{
    private Scope _context = new(given, program.Names.HiddenIn(program.Statements));
    private int _line = 1;

    /// <summary>How a body ended.</summary>
    private enum Flow
    {
        Done,
        Break,
        Continue,
    }

    public TimeProvider Time { get; } = time;

    public Budget Budget { get; } = budget;

    /// <exception cref="TemplateException">It goes wrong, or the template refuses.</exception>
    public Text Render()
    {
        using var use = Budget.Use();
        try
        {
            return Capture(program.Statements, _context);
        }
        catch (TemplateException exception)
        {
            exception.At(_line);
            throw;
        }
    }

    public Text Show(object? value) => Representation.Show(value, Budget);

    public PyList ListOf(IEnumerable<object?> items)
    {
        var list = new List<object?>();
        foreach (var item in items)
        {
            Budget.Step();
            list.Add(item);
        }

        return new PyList(list);
    }

    public static PyDict DictOf(IEnumerable<KeyValuePair<string, object?>> entries)
    {
        var dict = new PyDict();
        foreach (var (name, value) in entries)
        {
            dict.Set(Text.FromTemplate(name), value);
        }

        return dict;
    }

    /// <summary>Keys and values of a mapping, or of a list of pairs.</summary>
    public IEnumerable<KeyValuePair<object?, object?>> PairsOf(object? source) =>
        source is PyDict dict
            ? dict.Entries
            : Items
                .Of(source)
                .Select(item => ListOf(Items.Of(item)).Items)
                .Select(pair =>
                    pair.Count == 2
                        ? new KeyValuePair<object?, object?>(pair[0], pair[1])
                        : throw new TemplateException($"a pair has {pair.Count} items; 2 is required")
                );

    public static Arguments Prepend(object? value, Arguments given) => new([value, .. given.Positional], given.Named);

    public Text RunMacro(Macro macro, Arguments given)
    {
        Budget.Enter();
        var scope = Within(macro.Around, macro.Body.Statements);
        BindParameters(macro, given, scope);
        var text = Capture(macro.Body.Statements, scope);
        Budget.Leave();
        return text;
    }

    private void BindParameters(Macro macro, Arguments given, Scope scope)
    {
        var (parameters, mentions) = (macro.Body.Parameters, macro.Body.Mentions);
        var named = given.Named.ToList();
        var missing = new List<(string Name, Expression? Default)>();
        for (var i = 0; i < parameters.Count; i++)
        {
            var name = parameters[i].Name;
            var place = named.FindIndex(argument => argument.Key == name);
            if (i < given.Positional.Count)
            {
                scope.Set(name, given.Positional[i]);
            }
            else if (place >= 0)
            {
                scope.Set(name, named[place].Value);
                named.RemoveAt(place);
            }
            else
            {
                scope.Set(name, new Undefined($"parameter '{name}' was not provided"));
                missing.Add(parameters[i]);
            }
        }

        // A default may name any other parameter: those that are given have their value by now.
        foreach (var (name, otherwise) in missing.Where(parameter => parameter.Default is not null))
        {
            scope.Set(name, Evaluate(otherwise!, scope));
        }

        if (mentions.Contains("caller") && !parameters.Any(parameter => parameter.Name == "caller"))
        {
            var place = named.FindIndex(argument => argument.Key == "caller");
            scope.Set("caller", place >= 0 ? named[place].Value : new Undefined("No caller defined"));
            named.RemoveAll(argument => argument.Key == "caller");
        }

        if (mentions.Contains("kwargs"))
        {
            scope.Set("kwargs", DictOf(named));
        }
        else if (named.Count > 0)
        {
            throw new TemplateException($"macro '{macro.Name}' takes no keyword argument '{named[0].Key}'");
        }

        if (mentions.Contains("varargs"))
        {
            scope.Set("varargs", new PyTuple([.. given.Positional.Skip(parameters.Count)]));
        }
        else if (given.Positional.Count > parameters.Count)
        {
            throw new TemplateException($"macro '{macro.Name}' takes not more than {parameters.Count} argument(s)");
        }
    }

    private Text Capture(IReadOnlyList<Statement> statements, Scope scope)
    {
        var output = new TextBuilder(Budget);
        Run(statements, scope, output);
        return output.ToText();
    }

    private Flow Run(IReadOnlyList<Statement> statements, Scope scope, TextBuilder output)
    {
        Budget.Enter();
        var flow = Flow.Done;
        for (var i = 0; i < statements.Count && flow == Flow.Done; i++)
        {
            Budget.Step();
            _line = statements[i].Line;
            flow = Run(statements[i], scope, output);
        }

        Budget.Leave();
        return flow;
    }

    private Flow Run(Statement statement, Scope scope, TextBuilder output)
    {
        switch (statement)
        {
            case DataOutput data:
                output.AppendTemplate(data.Text);
                break;
            case ValueOutput value:
                output.Append(
                    Show(TryFold(value.Value, scope, isPrinted: true, out var constant) ? constant : Evaluate(value.Value, scope))
                );
                break;
            case If choice:
                foreach (var (test, body) in choice.Branches)
                {
                    if (test is null || Truth.Of(Evaluate(test, scope)))
                    {
                        return Run(body, scope, output);
                    }
                }

                break;
            case For loop:
                RunLoop(loop, Evaluate(loop.Items, scope), scope, output, depth0: 0);
                break;
            case Assignment assignment:
                Assign(assignment.Target, Evaluate(assignment.Value, scope), scope);
                break;
            case BlockAssignment assignment:
                var captured = Within(scope, assignment.Body);
                var text = Capture(assignment.Body, captured);
                Assign(assignment.Target, assignment.Filter is { } filter ? ApplyFilter(filter, text, captured) : text, scope);
                break;
            case With with:
                var inner = Within(scope, with.Body);
                var values = with.Values.Select(pair => (pair.Target, Value: Evaluate(pair.Value, scope))).ToList();
                values.ForEach(pair => Assign(pair.Target, pair.Value, inner));
                return Run(with.Body, inner, output);
            case MacroDefinition macro:
                scope.Set(macro.Name, new Macro(macro.Name, macro.Body, scope));
                break;
            case CallBlock block:
                output.Append(Show(RunCallBlock(block, scope)));
                break;
            case FilterBlock block:
                var filtered = Within(scope, block.Body);
                output.Append(Show(ApplyFilter(block.Filter, Capture(block.Body, filtered), filtered)));
                break;
            case ScopedBlock block:
                output.Append(Capture(block.Body, Within(scope, block.Body)));
                break;
            case Block block:
                output.Append(RunBlock(block, scope));
                break;
            case Jump jump:
                return jump.IsBreak ? Flow.Break : Flow.Continue;
            default:
                throw new InvalidOperationException($"{statement.GetType().Name} is not run.");
        }

        return Flow.Done;
    }

    private Scope Within(Scope around, IReadOnlyList<Statement> body)
    {
        var hidden = program.Names.HiddenIn(body);
        Budget.Step(hidden.Count);
        return new Scope(around, hidden);
    }

    /// <summary>A block does not see the bodies around it, but the template's own variables, unless it is scoped.</summary>
    private Text RunBlock(Block block, Scope scope)
    {
        if (block.IsRequired)
        {
            throw new TemplateException($"Required block '{block.Name}' not found");
        }

        var around = _context;
        _context = (block.IsScoped ? scope : around).Flatten(Budget);
        var text = Capture(block.Body, Within(_context, block.Body));
        _context = around;
        return text;
    }

    private object? RunCallBlock(CallBlock block, Scope scope)
    {
        var callee = Evaluate(block.Call.Callee, scope);
        var given = EvaluateArguments(block.Call.Given, scope);
        var caller = new Macro("caller", block.Body, scope) { IsCaller = true };
        return Invoke(callee, new Arguments(given.Positional, [.. given.Named, new("caller", caller)]));
    }

    private void RunLoop(For loop, object? items, Scope scope, TextBuilder output, int depth0)
    {
        Budget.Enter();
        var state = new LoopState(
            loop.Test is null ? Items.Of(items) : Filtered(loop, items, scope),
            loop.Test is null ? Items.TryCount(items) : null,
            loop.IsRecursive ? Recurse : null,
            depth0
        );
        var isEmpty = true;
        var flow = Flow.Done;
        while (flow != Flow.Break && state.MoveNext(out var item))
        {
            Budget.Step();
            var inner = Within(scope, loop.Body);
            inner.Set("loop", state);
            Assign(loop.Target, item, inner);
            flow = Run(loop.Body, inner, output);
            isEmpty &= flow != Flow.Done; // an iteration that was left early does not count, as in Jinja
        }

        if (isEmpty)
        {
            Run(loop.Else, Within(scope, loop.Else), output);
        }

        Budget.Leave();

        Text Recurse(object? others)
        {
            var text = new TextBuilder(Budget);
            RunLoop(loop, others, scope, text, depth0 + 1);
            return text.ToText();
        }
    }

    private IEnumerable<object?> Filtered(For loop, object? items, Scope scope)
    {
        foreach (var item in Items.Of(items))
        {
            Budget.Step();
            var inner = new Scope(scope);
            Assign(loop.Target, item, inner);
            if (Truth.Of(Evaluate(loop.Test!, inner)))
            {
                yield return item;
            }
        }
    }

    private void Assign(Expression target, object? value, Scope scope)
    {
        switch (target)
        {
            case Name name:
                scope.Set(name.Text, value);
                break;
            case NamespaceTarget attribute:
                var owner = scope.TryGet(attribute.Namespace, out var found) ? found : null;
                (owner as Namespace ?? throw new TemplateException("cannot assign attribute on non-namespace object")).Attributes[
                    attribute.Attribute
                ] = value;
                break;
            case TupleLiteral tuple:
                var items = ListOf(Items.Of(value)).Items;
                if (items.Count != tuple.Items.Count)
                {
                    throw new TemplateException($"{items.Count} values can't be unpacked to {tuple.Items.Count} names");
                }

                for (var i = 0; i < items.Count; i++)
                {
                    Assign(tuple.Items[i], items[i], scope);
                }

                break;
            default:
                throw new TemplateException("can't assign to this");
        }
    }
}
