using Dsde.Templates.Library;
using Dsde.Templates.Operators;
using Dsde.Templates.Syntax;
using Dsde.Templates.Values;

namespace Dsde.Templates.Running;

/// <summary>Values of expressions.</summary>
internal sealed partial class Machine
{
    private object? Evaluate(Expression expression, Scope scope)
    {
        Budget.Enter();
        Budget.Step();
        var value = TryFold(expression, scope, isPrinted: false, out var constant) ? constant : EvaluateUncounted(expression, scope);
        Budget.Leave();
        return value;
    }

    private object? EvaluateUncounted(Expression expression, Scope scope)
    {
        switch (expression)
        {
            case Literal literal:
                return literal.Value;
            case Name name:
                RequireConstant(false);
                return scope.TryGet(name.Text, out var found) ? found
                    : Globals.All.TryGetValue(name.Text, out var function) ? function
                    : Undefined.Name(name.Text);
            case AttributeAccess access:
                return At(access, Access.Attribute, Evaluate(access.Owner, scope), access.Attribute);
            case ItemAccess access:
                var (owner, key) = (Evaluate(access.Owner, scope), Evaluate(access.Key, scope));
                return At(access, Access.Item, owner, key);
            case SliceAccess slice:
                return Slice(slice, scope);
            case Call call:
                RequireConstant(false);
                var callee = Evaluate(call.Callee, scope);
                var given = EvaluateArguments(call.Given, scope);
                _line = call.Line;
                return Invoke(callee, given);
            case Filter filter:
                return ApplyFilter(filter, filter.Operand is null ? null : Evaluate(filter.Operand, scope), scope);
            case Test test:
                var operand = Evaluate(test.Operand, scope);
                var arguments = EvaluateArguments(test.Given, scope);
                _line = test.Line;
                Look(arguments);
                Budget.Look(operand);
                return Tests.Apply(test.TestName, Prepend(operand, arguments));
            case Conditional conditional:
                return Truth.Of(Evaluate(conditional.Test, scope)) ? Evaluate(conditional.Then, scope)
                    : conditional.Else is { } otherwise ? Evaluate(otherwise, scope)
                    : MissingElse();
            case Binary binary:
                return EvaluateBinary(binary, scope);
            case Unary unary:
                return EvaluateUnary(unary, scope);
            case ComparisonChain chain:
                return EvaluateChain(chain, scope);
            case Concatenation concatenation:
                return Concatenate(concatenation, scope);
            case ListLiteral list:
                return new PyList([.. list.Items.Select(item => Evaluate(item, scope))]);
            case TupleLiteral tuple:
                return new PyTuple([.. tuple.Items.Select(item => Evaluate(item, scope))]);
            case DictLiteral literal:
                var dict = new PyDict();
                foreach (var (entryKey, value) in literal.Entries)
                {
                    dict.Set(Evaluate(entryKey, scope), Evaluate(value, scope));
                }

                return dict;
            default:
                throw new InvalidOperationException($"{expression.GetType().Name} is not evaluated.");
        }
    }

    private object? At<T>(Expression expression, Func<object?, T, object?> read, object? owner, T key)
    {
        _line = expression.Line;
        return read(owner, key);
    }

    private object? EvaluateOrNone(Expression? expression, Scope scope) => expression is null ? null : Evaluate(expression, scope);

    private object? EvaluateBinary(Binary binary, Scope scope)
    {
        var left = Evaluate(binary.Left, scope);
        if (binary.Sign is "and" or "or")
        {
            return Truth.Of(left) == (binary.Sign == "or") ? left : Evaluate(binary.Right, scope);
        }

        var right = Evaluate(binary.Right, scope);
        _line = binary.Line;
        return Arithmetic.Apply(binary.Sign, left, right, Budget);
    }

    private Undefined MissingElse()
    {
        RequireConstant(false);
        return new Undefined("the inline if-expression evaluated to false and no else section was defined.");
    }

    private object EvaluateUnary(Unary unary, Scope scope)
    {
        var operand = Evaluate(unary.Operand, scope);
        _line = unary.Line;
        return unary.Sign switch
        {
            "not" => !Truth.Of(operand),
            "-" => Arithmetic.Negate(operand),
            _ => Arithmetic.Affirm(operand),
        };
    }

    private object EvaluateChain(ComparisonChain chain, Scope scope)
    {
        var left = Evaluate(chain.First, scope);
        foreach (var (sign, operand) in chain.Rest)
        {
            var right = Evaluate(operand, scope);
            _line = chain.Line;
            if (!Comparison.Holds(sign, left, right))
            {
                return false;
            }

            left = right;
        }

        return true;
    }

    private Text Concatenate(Concatenation concatenation, Scope scope)
    {
        var text = new TextBuilder(Budget);
        foreach (var part in concatenation.Parts)
        {
            text.Append(Show(Evaluate(part, scope)));
        }

        return text.ToText();
    }

    private object? ApplyFilter(Filter filter, object? operand, Scope scope)
    {
        if (filter.Operand is Filter inner && operand is not null && IsBlockChain(filter))
        {
            operand = ApplyFilter(inner, operand, scope);
        }

        RequireConstant(!ContextFilters.Contains(filter.FilterName, StringComparer.Ordinal));
        var given = EvaluateArguments(filter.Given, scope);
        _line = filter.Line;
        Look(given);
        Budget.Look(operand);
        return Filters.Apply(filter.FilterName, this, Prepend(operand, given));
    }

    /// <summary>Whether a chain of filters begins without an operand: it gets the text of a block.</summary>
    private static bool IsBlockChain(Filter filter)
    {
        while (filter.Operand is Filter inner)
        {
            filter = inner;
        }

        return filter.Operand is null;
    }

    private Arguments EvaluateArguments(CallArguments given, Scope scope)
    {
        List<object?> positional = [.. given.Positional.Select(argument => Evaluate(argument, scope))];
        List<KeyValuePair<string, object?>> named =
        [
            .. given.Named.Select(argument => new KeyValuePair<string, object?>(argument.Name, Evaluate(argument.Value, scope))),
        ];
        if (given.Spread is { } spread)
        {
            positional.AddRange(ListOf(Items.Of(Evaluate(spread, scope))).Items);
        }

        if (given.NamedSpread is { } namedSpread)
        {
            var dict = Evaluate(namedSpread, scope) as PyDict ?? throw new TemplateException("argument after ** must be a mapping");
            foreach (var (key, value) in dict.Entries)
            {
                named.Add(new((key as Text ?? throw new TemplateException("keywords must be strings")).Value, value));
            }
        }

        var twice = named.GroupBy(argument => argument.Key, StringComparer.Ordinal).FirstOrDefault(group => group.Skip(1).Any());
        return twice is null
            ? new Arguments(positional, named)
            : throw new TemplateException($"got multiple values for keyword argument '{twice.Key}'");
    }

    /// <summary>Whatever is done with arguments, they are looked at.</summary>
    private void Look(Arguments given)
    {
        foreach (var value in given.Positional.Concat(given.Named.Select(argument => argument.Value)))
        {
            Budget.Look(value);
        }
    }

    private object? Invoke(object? callee, Arguments given)
    {
        Budget.Enter();
        Look(given);
        var result = callee switch
        {
            ICallable callable => callable.Call(this, given),
            Undefined undefined => throw undefined.Refuse(),
            _ => throw new TemplateException($"'{Kind.Of(callee)}' object is not callable"),
        };
        Budget.Leave();
        return result;
    }
}
