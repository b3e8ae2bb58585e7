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
        var expression = ParseOr();
        while (_stream.SkipName("if"))
        {
            var test = ParseOr();
            var otherwise = _stream.SkipName("else") ? ParseExpression() : null;
            expression = new Conditional(line, test, expression, otherwise);
        }

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
}
