using System.Globalization;
using System.Numerics;
using System.Text;
using Text = Dsde.Templates.Values.Text;

namespace Dsde.Templates.Syntax;

/// <summary>What is written out: names, numbers, texts, lists and mappings.</summary>
internal sealed partial class Parser
{
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
}
