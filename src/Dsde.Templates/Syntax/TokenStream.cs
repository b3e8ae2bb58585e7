namespace Dsde.Templates.Syntax;

/// <summary>Goes through tokens.</summary>
internal sealed class TokenStream(IReadOnlyList<Token> tokens)
{
    private int _place;

    public Token Current => tokens[Math.Min(_place, tokens.Count - 1)];

    public Token Following => tokens[Math.Min(_place + 1, tokens.Count - 1)];

    public Token Next()
    {
        var token = Current;
        _place++;
        return token;
    }

    public bool SkipSign(string sign) => Skip(Current.IsSign(sign));

    public bool SkipName(string name) => Skip(Current.IsName(name));

    public void ExpectSign(string sign)
    {
        if (!SkipSign(sign))
        {
            throw Unexpected($"'{sign}'");
        }
    }

    public string ExpectName() => Current.Kind == TokenKind.Name ? Next().Text : throw Unexpected("a name");

    public void Expect(TokenKind kind, string description)
    {
        if (!Skip(Current.Kind == kind))
        {
            throw Unexpected(description);
        }
    }

    public TemplateException Unexpected(string expected) => Fail($"expected {expected}, got {Current.Describe()}");

    public TemplateException Fail(string message) => new(Current.Line, message);

    private bool Skip(bool isThere)
    {
        _place += isThere ? 1 : 0;
        return isThere;
    }
}
