namespace Dsde.Templates.Syntax;

/// <summary>What stands behind a value: attributes, items, arguments, filters and tests.</summary>
internal sealed partial class Parser
{
    private Expression ParsePostfix(Expression expression)
    {
        while (true)
        {
            var line = _stream.Current.Line;
            if (_stream.SkipSign("."))
            {
                expression = ParseAttribute(expression, line);
            }
            else if (_stream.SkipSign("["))
            {
                expression = ParseSubscript(expression, line);
            }
            else if (_stream.Current.IsSign("("))
            {
                expression = new Call(line, expression, ParseArguments());
            }
            else
            {
                return expression;
            }
        }
    }

    private Expression ParseAttribute(Expression owner, int line)
    {
        var token = _stream.Next();
        return token.Kind switch
        {
            TokenKind.Name => new AttributeAccess(line, owner, token.Text),
            TokenKind.Integer => new ItemAccess(line, owner, new Literal(line, ReadInteger(token.Text))),
            _ => throw new TemplateException(line, "expected name or number"),
        };
    }

    private Expression ParseSubscript(Expression owner, int line)
    {
        var keys = new List<Expression>();
        while (!_stream.Current.IsSign("]"))
        {
            if (keys.Count > 0)
            {
                _stream.ExpectSign(",");
            }

            var start = _stream.Current.IsSign(":") ? null : ParseExpression();
            if (!_stream.SkipSign(":"))
            {
                keys.Add(start ?? throw _stream.Unexpected("an expression"));
                continue;
            }

            var stop = _stream.Current.IsSign(":") || _stream.Current.IsSign("]") ? null : ParseExpression();
            var step = _stream.SkipSign(":") && !_stream.Current.IsSign("]") ? ParseExpression() : null;
            _stream.ExpectSign("]");
            return keys.Count == 0
                ? new SliceAccess(line, owner, start, stop, step)
                : throw new TemplateException(line, "slices of several dimensions are not supported");
        }

        _stream.ExpectSign("]");
        return keys.Count switch
        {
            0 => throw new TemplateException(line, "expected subscript expression"),
            1 => new ItemAccess(line, owner, keys[0]),
            _ => new ItemAccess(line, owner, new TupleLiteral(line, keys)),
        };
    }

    private CallArguments ParseArguments()
    {
        _stream.ExpectSign("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? spread = null,
            namedSpread = null;
        var isFirst = true;
        while (!_stream.Current.IsSign(")"))
        {
            if (!isFirst)
            {
                _stream.ExpectSign(",");
                if (_stream.Current.IsSign(")"))
                {
                    break;
                }
            }

            isFirst = false;
            if (_stream.Current.IsSign("*") && spread is null && namedSpread is null)
            {
                _stream.Next();
                spread = ParseExpression();
            }
            else if (_stream.Current.IsSign("**") && namedSpread is null)
            {
                _stream.Next();
                namedSpread = ParseExpression();
            }
            else if (namedSpread is null && _stream.Current.Kind == TokenKind.Name && _stream.Following.IsSign("="))
            {
                var name = _stream.Next().Text;
                _stream.Next();
                named.Add((name, ParseExpression()));
            }
            else if (spread is null && namedSpread is null && named.Count == 0)
            {
                positional.Add(ParseExpression());
            }
            else
            {
                throw _stream.Fail("invalid syntax for function call expression");
            }
        }

        _stream.ExpectSign(")");
        return new CallArguments(positional, named, spread, namedSpread);
    }

    private Expression ParseFilters(Expression expression)
    {
        while (true)
        {
            if (_stream.Current.IsSign("|"))
            {
                expression = ParseFilter(expression, isInline: false)!;
            }
            else if (_stream.SkipName("is"))
            {
                expression = ParseTest(expression);
            }
            else if (_stream.Current.IsSign("("))
            {
                expression = new Call(_stream.Current.Line, expression, ParseArguments());
            }
            else
            {
                return expression;
            }
        }
    }

    /// <summary>Filters one behind another; null without any.</summary>
    private Filter? ParseFilter(Expression? operand, bool isInline)
    {
        Filter? filter = null;
        while (isInline || _stream.SkipSign("|"))
        {
            isInline = false;
            var line = _stream.Current.Line;
            var name = ParseDottedName();
            filter = new Filter(line, filter ?? operand, name, _stream.Current.IsSign("(") ? ParseArguments() : CallArguments.None);
        }

        return filter;
    }

    private Expression ParseTest(Expression operand)
    {
        var line = _stream.Current.Line;
        var isNegated = _stream.SkipName("not");
        var name = ParseDottedName();
        var given = CallArguments.None;
        if (_stream.Current.IsSign("("))
        {
            given = ParseArguments();
        }
        else if (BeginsArgument(_stream.Current))
        {
            if (_stream.Current.IsName("is"))
            {
                throw _stream.Fail("You cannot chain multiple tests with is");
            }

            given = new CallArguments([ParsePostfix(ParsePrimary())], [], null, null);
        }

        var test = new Test(line, operand, name, given);
        return isNegated ? new Unary(line, "not", test) : test;
    }

    private static bool BeginsArgument(Token token) =>
        token.Kind switch
        {
            TokenKind.Name => token.Text is not ("else" or "or" or "and"),
            TokenKind.String or TokenKind.Integer or TokenKind.Float => true,
            TokenKind.Sign => token.Text is "(" or "[" or "{",
            _ => false,
        };

    private string ParseDottedName()
    {
        var name = _stream.ExpectName();
        while (_stream.SkipSign("."))
        {
            name += "." + _stream.ExpectName();
        }

        return name;
    }
}
