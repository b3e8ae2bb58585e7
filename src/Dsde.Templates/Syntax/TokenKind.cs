namespace Dsde.Templates.Syntax;

/// <summary>Kinds of tokens.</summary>
internal enum TokenKind
{
    Data,
    BlockBegin,
    BlockEnd,
    VariableBegin,
    VariableEnd,
    Name,
    String,
    Integer,
    Float,
    Sign,
    End,
}
