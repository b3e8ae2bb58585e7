namespace Dsde.Templates.Syntax;

/// <summary>What does something.</summary>
/// <param name="Line">Line of the template.</param>
internal abstract record Statement(int Line);

/// <summary>Text of the template.</summary>
internal sealed record DataOutput(int Line, string Text) : Statement(Line);

/// <summary>A value that is printed.</summary>
internal sealed record ValueOutput(int Line, Expression Value) : Statement(Line);

/// <summary>The first branch whose test holds; the last may have none.</summary>
internal sealed record If(int Line, IReadOnlyList<(Expression? Test, IReadOnlyList<Statement> Body)> Branches) : Statement(Line);

/// <summary>A loop.</summary>
internal sealed record For(
    int Line,
    Expression Target,
    Expression Items,
    Expression? Test,
    IReadOnlyList<Statement> Body,
    IReadOnlyList<Statement> Else,
    bool IsRecursive
) : Statement(Line);

/// <summary><c>set</c> with a value.</summary>
internal sealed record Assignment(int Line, Expression Target, Expression Value) : Statement(Line);

/// <summary><c>set</c> with a body.</summary>
internal sealed record BlockAssignment(int Line, Expression Target, Filter? Filter, IReadOnlyList<Statement> Body) : Statement(Line);

/// <summary>Variables of a body of their own.</summary>
internal sealed record With(int Line, IReadOnlyList<(Expression Target, Expression Value)> Values, IReadOnlyList<Statement> Body)
    : Statement(Line);

/// <summary>A macro.</summary>
internal sealed record MacroDefinition(int Line, string Name, MacroBody Body) : Statement(Line);

/// <summary>A call of a macro that gets a body.</summary>
internal sealed record CallBlock(int Line, Call Call, MacroBody Body) : Statement(Line);

/// <summary>A body whose text goes through a filter.</summary>
internal sealed record FilterBlock(int Line, Filter Filter, IReadOnlyList<Statement> Body) : Statement(Line);

/// <summary>A body in a scope of its own: <c>generation</c>.</summary>
internal sealed record ScopedBlock(int Line, IReadOnlyList<Statement> Body) : Statement(Line);

/// <summary>A named block, which stands where it is written, as nothing extends a chat template.</summary>
/// <param name="Line">Line of the template.</param>
/// <param name="Name">Its name.</param>
/// <param name="IsScoped">Whether it sees the variables of the bodies around it, besides those of the template.</param>
/// <param name="IsRequired">Whether another template would have to fill it.</param>
/// <param name="Body">What it does.</param>
internal sealed record Block(int Line, string Name, bool IsScoped, bool IsRequired, IReadOnlyList<Statement> Body) : Statement(Line);

/// <summary><c>break</c> or <c>continue</c>.</summary>
internal sealed record Jump(int Line, bool IsBreak) : Statement(Line);

/// <summary>Parameters and statements of a macro.</summary>
/// <param name="Parameters">Names, and defaults of the last ones.</param>
/// <param name="Statements">The body.</param>
/// <param name="Mentions">Which of <c>caller</c>, <c>varargs</c> and <c>kwargs</c> the body names.</param>
internal sealed record MacroBody(
    IReadOnlyList<(string Name, Expression? Default)> Parameters,
    IReadOnlyList<Statement> Statements,
    IReadOnlySet<string> Mentions
);
