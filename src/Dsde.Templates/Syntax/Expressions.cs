namespace Dsde.Templates.Syntax;

/// <summary>What has a value.</summary>
/// <param name="Line">Line of the template.</param>
internal abstract record Expression(int Line);

/// <summary>A value that is written out.</summary>
internal sealed record Literal(int Line, object? Value) : Expression(Line);

/// <summary>A variable.</summary>
internal sealed record Name(int Line, string Text) : Expression(Line);

/// <summary>An attribute of a namespace, to be set.</summary>
internal sealed record NamespaceTarget(int Line, string Namespace, string Attribute) : Expression(Line);

/// <summary>A list that is written out.</summary>
internal sealed record ListLiteral(int Line, IReadOnlyList<Expression> Items) : Expression(Line);

/// <summary>A tuple that is written out, or several targets.</summary>
internal sealed record TupleLiteral(int Line, IReadOnlyList<Expression> Items) : Expression(Line);

/// <summary>A mapping that is written out.</summary>
internal sealed record DictLiteral(int Line, IReadOnlyList<(Expression Key, Expression Value)> Entries) : Expression(Line);

/// <summary><c>-x</c>, <c>+x</c> or <c>not x</c>.</summary>
internal sealed record Unary(int Line, string Sign, Expression Operand) : Expression(Line);

/// <summary>An operator of arithmetic, or <c>and</c>, <c>or</c>.</summary>
internal sealed record Binary(int Line, string Sign, Expression Left, Expression Right) : Expression(Line);

/// <summary>Texts of values put together: <c>a ~ b</c>.</summary>
internal sealed record Concatenation(int Line, IReadOnlyList<Expression> Parts) : Expression(Line);

/// <summary>A chain of comparisons.</summary>
internal sealed record ComparisonChain(int Line, Expression First, IReadOnlyList<(string Sign, Expression Operand)> Rest)
    : Expression(Line);

/// <summary><c>a if b else c</c>.</summary>
internal sealed record Conditional(int Line, Expression Test, Expression Then, Expression? Else) : Expression(Line);

/// <summary><c>a.b</c>.</summary>
internal sealed record AttributeAccess(int Line, Expression Owner, string Attribute) : Expression(Line);

/// <summary><c>a[b]</c>.</summary>
internal sealed record ItemAccess(int Line, Expression Owner, Expression Key) : Expression(Line);

/// <summary><c>a[b:c:d]</c>.</summary>
internal sealed record SliceAccess(int Line, Expression Owner, Expression? Start, Expression? Stop, Expression? Step) : Expression(Line);

/// <summary>A call.</summary>
internal sealed record Call(int Line, Expression Callee, CallArguments Given) : Expression(Line);

/// <summary>A filter; without an operand in blocks.</summary>
internal sealed record Filter(int Line, Expression? Operand, string FilterName, CallArguments Given) : Expression(Line);

/// <summary>A test.</summary>
internal sealed record Test(int Line, Expression Operand, string TestName, CallArguments Given) : Expression(Line);

/// <summary>Arguments as they are written.</summary>
internal sealed record CallArguments(
    IReadOnlyList<Expression> Positional,
    IReadOnlyList<(string Name, Expression Value)> Named,
    Expression? Spread,
    Expression? NamedSpread
)
{
    public static readonly CallArguments None = new([], [], null, null);

    public IEnumerable<Expression> All =>
        Positional.Concat(Named.Select(argument => argument.Value)).Append(Spread).Append(NamedSpread).OfType<Expression>();
}
