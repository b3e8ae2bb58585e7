namespace Dsde.Templates.Syntax;

/// <summary>A piece of a template.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">As it is written; of strings what they stand for.</param>
/// <param name="Line">Its line, from 1.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Line)
{
    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;

    public bool IsSign(string sign) => Kind == TokenKind.Sign && Text == sign;

    public string Describe() =>
        Kind switch
        {
            TokenKind.End => "the template's end",
            TokenKind.BlockEnd => "the end of the statement",
            TokenKind.VariableEnd => "the end of the print statement",
            _ => $"'{Text}'",
        };
}
