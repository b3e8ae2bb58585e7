using System.Globalization;
using System.Numerics;
using System.Text;
using Dsde.Templates.Values;
using Text = Dsde.Templates.Values.Text;

namespace Dsde.Templates.Syntax;

/// <summary>Expressions, from those that bind least to those that bind most.</summary>
internal sealed partial class Parser
{
    private static readonly string[] Comparisons = ["==", "!=", ">", ">=", "<", "<="];

    private Expression ParseTuple(bool withConditional = true, string[]? ends = null, bool isInParentheses = false)
    {
        var line = _stream.Current.Line;
        var items = new List<Expression>();
        var isTuple = false;
        while (!IsTupleEnd(ends ?? []))
        {
            items.Add(withConditional ? ParseExpression() : ParseOr());
            if (!_stream.SkipSign(","))
            {
                break;
            }

            isTuple = true;
        }

        return isTuple || (items.Count == 0 && isInParentheses) ? new TupleLiteral(line, items)
            : items.Count == 1 ? items[0]
            : throw _stream.Unexpected("an expression");
    }

    private Expression ParseExpression()
    {
        Enter();
        var line = _stream.Current.Line;
        var wasSoft = _isSoft;
        var expression = ParseOr();
        while (_stream.SkipName("if"))
        {
            _isSoft = true;
            var test = ParseOr();
            var otherwise = _stream.SkipName("else") ? ParseExpression() : null;
            expression = new Conditional(line, test, expression, otherwise);
        }

        _isSoft = wasSoft;
        Leave();
        return expression;
    }

    private Expression ParseOr()
    {
        var left = ParseAnd();
        while (_stream.Current.IsName("or"))
        {
            var line = _stream.Next().Line;
            left = new Binary(line, "or", left, ParseAnd());
        }

        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (_stream.Current.IsName("and"))
        {
            var line = _stream.Next().Line;
            left = new Binary(line, "and", left, ParseNot());
        }

        return left;
    }

    private Expression ParseNot()
    {
        if (!_stream.Current.IsName("not"))
        {
            return ParseComparison();
        }

        Enter();
        var line = _stream.Next().Line;
        var expression = new Unary(line, "not", ParseNot());
        Leave();
        return expression;
    }

    private Expression ParseComparison()
    {
        var line = _stream.Current.Line;
        var first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (_stream.Current.Kind == TokenKind.Sign && Comparisons.Contains(_stream.Current.Text, StringComparer.Ordinal))
            {
                rest.Add((_stream.Next().Text, ParseSum()));
            }
            else if (_stream.SkipName("in"))
            {
                rest.Add(("in", ParseSum()));
            }
            else if (_stream.Current.IsName("not") && _stream.Following.IsName("in"))
            {
                _stream.Next();
                _stream.Next();
                rest.Add(("not in", ParseSum()));
            }
            else
            {
                return rest.Count == 0 ? first : new ComparisonChain(line, first, rest);
            }
        }
    }

    private Expression ParseSum() => ParseLeft(ParseConcatenation, "+", "-");

    private Expression ParseConcatenation()
    {
        var line = _stream.Current.Line;
        List<Expression> parts = [ParseProduct()];
        while (_stream.SkipSign("~"))
        {
            parts.Add(ParseProduct());
        }

        return parts.Count == 1 ? parts[0] : new Concatenation(line, parts);
    }

    private Expression ParseProduct() => ParseLeft(ParsePower, "*", "/", "//", "%");

    private Expression ParsePower() => ParseLeft(() => ParseUnary(), "**");

    private Expression ParseLeft(Func<Expression> parse, params string[] signs)
    {
        var left = parse();
        while (_stream.Current.Kind == TokenKind.Sign && signs.Contains(_stream.Current.Text, StringComparer.Ordinal))
        {
            var sign = _stream.Next();
            left = new Binary(sign.Line, sign.Text, left, parse());
        }

        return left;
    }

    private Expression ParseUnary(bool withFilter = true)
    {
        Enter();
        var line = _stream.Current.Line;
        var expression =
            _stream.SkipSign("-") ? new Unary(line, "-", ParseUnary(withFilter: false))
            : _stream.SkipSign("+") ? new Unary(line, "+", ParseUnary(withFilter: false))
            : ParsePrimary();
        expression = ParsePostfix(expression);
        expression = withFilter ? ParseFilters(expression) : expression;
        Leave();
        return expression;
    }

    private Expression ParsePrimary()
    {
        var token = _stream.Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                _stream.Next();
                return token.Text switch
                {
                    "true" or "True" => new Literal(token.Line, true),
                    "false" or "False" => new Literal(token.Line, false),
                    "none" or "None" => new Literal(token.Line, null),
                    _ => new Name(token.Line, token.Text),
                };
            case TokenKind.String:
                var text = new StringBuilder();
                while (_stream.Current.Kind == TokenKind.String)
                {
                    text.Append(_stream.Next().Text);
                }

                return new Literal(token.Line, Text.FromTemplate(text.ToString()));
            case TokenKind.Integer:
                _stream.Next();
                return new Literal(token.Line, ReadInteger(token.Text.Replace("_", "", StringComparison.Ordinal)));
            case TokenKind.Float:
                _stream.Next();
                return new Literal(
                    token.Line,
                    double.Parse(token.Text.Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture)
                );
            case TokenKind.Sign when token.Text == "(":
                _stream.Next();
                var tuple = ParseTuple(isInParentheses: true);
                _stream.ExpectSign(")");
                return tuple;
            case TokenKind.Sign when token.Text == "[":
                return ParseList(token.Line);
            case TokenKind.Sign when token.Text == "{":
                return ParseDict(token.Line);
            default:
                throw _stream.Fail($"unexpected {token.Describe()}");
        }
    }

    private object ReadInteger(string text)
    {
        const int mostDigits = 4300; // as in Python
        if (text.Length > mostDigits)
        {
            throw _stream.Fail($"a number has more than {mostDigits} digits");
        }

        var radix = text.Length > 2 ? char.ToLowerInvariant(text[1]) : ' ';
        var size = radix switch
        {
            'x' => 16,
            'o' => 8,
            'b' => 2,
            _ => 10,
        };
        return size == 10
            ? BigInteger.Parse(text, CultureInfo.InvariantCulture)
            : text[2..].Aggregate(BigInteger.Zero, (number, digit) => (number * size) + Convert.ToInt32(digit.ToString(), 16));
    }

    private ListLiteral ParseList(int line)
    {
        var items = new List<Expression>();
        _stream.ExpectSign("[");
        while (!_stream.Current.IsSign("]"))
        {
            if (items.Count > 0)
            {
                _stream.ExpectSign(",");
                if (_stream.Current.IsSign("]"))
                {
                    break;
                }
            }

            items.Add(ParseExpression());
        }

        _stream.ExpectSign("]");
        return new ListLiteral(line, items);
    }

    private DictLiteral ParseDict(int line)
    {
        var entries = new List<(Expression, Expression)>();
        _stream.ExpectSign("{");
        while (!_stream.Current.IsSign("}"))
        {
            if (entries.Count > 0)
            {
                _stream.ExpectSign(",");
                if (_stream.Current.IsSign("}"))
                {
                    break;
                }
            }

            var key = ParseExpression();
            _stream.ExpectSign(":");
            entries.Add((key, ParseExpression()));
        }

        _stream.ExpectSign("}");
        return new DictLiteral(line, entries);
    }

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
            Check("filter", name, _isFilter, line);
            filter = new Filter(line, filter ?? operand, name, _stream.Current.IsSign("(") ? ParseArguments() : CallArguments.None);
        }

        return filter;
    }

    private Expression ParseTest(Expression operand)
    {
        var line = _stream.Current.Line;
        var isNegated = _stream.SkipName("not");
        var name = ParseDottedName();
        Check("test", name, _isTest, line);
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

    private void Check(string kind, string name, Predicate<string> isKnown, int line)
    {
        if (!_isSoft && !isKnown(name))
        {
            throw new TemplateException(line, $"No {kind} named '{name}'.");
        }
    }
}
