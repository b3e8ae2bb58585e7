using System.Text.RegularExpressions;
using Dsde.Templates.Operators;

namespace Dsde.Templates.Syntax;

/// <summary>
/// Cuts a template into tokens, with the white space rules that transformers sets: the line break behind a statement goes
/// (<c>trim_blocks</c>), and so do blanks before one at a line's beginning (<c>lstrip_blocks</c>).
/// </summary>
internal sealed partial class Lexer
{
    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private readonly Stack<char> _open = new();
    private int _place;
    private int _line = 1;
    private bool _isAtLineStart = true;

    private Lexer(string source) => _source = source;

    /// <exception cref="TemplateException">It is no template.</exception>
    public static IReadOnlyList<Token> Read(string source)
    {
        var text = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new Lexer(text.EndsWith('\n') ? text[..^1] : text);
        lexer.ReadAll();
        return lexer._tokens;
    }

    private void ReadAll()
    {
        while (_place < _source.Length)
        {
            var start = FindTag();
            if (start < 0)
            {
                Add(TokenKind.Data, _source[_place..]);
                Move(_source.Length);
                break;
            }

            if (RawBegin().Match(_source, start) is { Success: true } raw)
            {
                AddData(start, raw.Groups["sign"].Value, isVariable: false);
                Move(start + raw.Length);
                ReadRaw();
                continue;
            }

            var kind = _source[start + 1];
            var sign = start + 2 < _source.Length && _source[start + 2] is '-' or '+' ? _source[start + 2].ToString() : "";
            AddData(start, sign, kind == '{');
            Move(start + 2 + sign.Length);
            if (kind == '#')
            {
                ReadComment();
            }
            else
            {
                Add(kind == '%' ? TokenKind.BlockBegin : TokenKind.VariableBegin, _source[start..(start + 2)]);
                ReadTag(kind == '{');
            }
        }

        Add(TokenKind.End, "");
    }

    private int FindTag()
    {
        for (var i = _source.IndexOf('{', _place); i >= 0 && i + 1 < _source.Length; i = _source.IndexOf('{', i + 1))
        {
            if (_source[i + 1] is '%' or '{' or '#')
            {
                return i;
            }
        }

        return -1;
    }

    private void AddData(int end, string sign, bool isVariable)
    {
        var data = _source[_place..end];
        if (sign == "-")
        {
            var length = data.Length;
            while (length > 0 && Characters.IsSpace(data[length - 1]))
            {
                length--;
            }

            data = data[..length];
        }
        else if (sign != "+" && !isVariable)
        {
            var start = data.LastIndexOf('\n') + 1;
            if ((start > 0 || _isAtLineStart) && start < data.Length && data.AsSpan(start).ToString().All(Characters.IsSpace))
            {
                data = data[..start];
            }
        }

        if (data.Length > 0)
        {
            Add(TokenKind.Data, data);
        }
    }

    private void ReadRaw()
    {
        var end = RawEnd().Match(_source, _place);
        if (!end.Success)
        {
            throw new TemplateException(_line, "Missing end of raw directive");
        }

        AddData(end.Index, end.Groups["sign"].Value, isVariable: false);
        Move(end.Index + end.Length);
    }

    private void ReadComment()
    {
        var end = _source.IndexOf("#}", _place, StringComparison.Ordinal);
        if (end < 0)
        {
            throw new TemplateException(_line, "Missing end of comment tag");
        }

        var sign = end > _place ? _source[end - 1] : ' ';
        Move(SkipBehind(end + 2, sign, trimsLine: true));
    }

    private void ReadTag(bool isVariable)
    {
        _open.Clear();
        while (true)
        {
            while (_place < _source.Length && Characters.IsSpace(_source[_place]))
            {
                Move(_place + 1);
            }

            if (_place >= _source.Length)
            {
                return; // the parser says what is missing
            }

            if (_open.Count == 0 && TryEnd(isVariable))
            {
                return;
            }

            ReadToken();
        }
    }

    private bool TryEnd(bool isVariable)
    {
        var end = isVariable ? "}}" : "%}";
        var sign = _source[_place];
        var hasSign = sign == '-' || (sign == '+' && !isVariable);
        var start = hasSign ? _place + 1 : _place;
        if (string.CompareOrdinal(_source, start, end, 0, 2) != 0)
        {
            return false;
        }

        Add(isVariable ? TokenKind.VariableEnd : TokenKind.BlockEnd, end);
        Move(SkipBehind(start + 2, hasSign ? sign : ' ', trimsLine: !isVariable));
        return true;
    }

    /// <summary>What a tag takes along behind it.</summary>
    private int SkipBehind(int place, char sign, bool trimsLine)
    {
        if (sign == '-')
        {
            while (place < _source.Length && Characters.IsSpace(_source[place]))
            {
                place++;
            }

            return place;
        }

        return trimsLine && sign != '+' && place < _source.Length && _source[place] == '\n' ? place + 1 : place;
    }

    private void ReadToken()
    {
        foreach (var (kind, pattern) in Patterns)
        {
            if (pattern.Match(_source, _place) is not { Success: true, Length: > 0 } match)
            {
                continue;
            }

            if (kind == TokenKind.Sign)
            {
                Balance(match.Value[0]);
            }
            else if (kind == TokenKind.Name && char.IsDigit(match.Value[0]))
            {
                throw new TemplateException(_line, "Invalid character in identifier");
            }

            Add(kind, kind == TokenKind.String ? StringLiteral.Read(match.Value[1..^1], _line) : match.Value);
            Move(_place + match.Length);
            return;
        }

        throw new TemplateException(_line, $"unexpected char '{_source[_place]}'");
    }

    private void Balance(char sign)
    {
        switch (sign)
        {
            case '{' or '(' or '[':
                _open.Push(
                    sign switch
                    {
                        '{' => '}',
                        '(' => ')',
                        _ => ']',
                    }
                );
                break;
            case '}' or ')' or ']' when !_open.TryPop(out var expected) || expected != sign:
                throw new TemplateException(_line, $"unexpected '{sign}'");
            default:
                break;
        }
    }

    private void Add(TokenKind kind, string text) => _tokens.Add(new Token(kind, text, _line));

    private void Move(int place)
    {
        _line += _source.AsSpan(_place, place - _place).Count('\n');
        _isAtLineStart = place > _place && _source[place - 1] == '\n';
        _place = place;
    }

    private static readonly (TokenKind Kind, Regex Pattern)[] Patterns =
    [
        (TokenKind.Float, FloatPattern()),
        (TokenKind.Integer, IntegerPattern()),
        (TokenKind.Name, NamePattern()),
        (TokenKind.String, StringPattern()),
        (TokenKind.Sign, SignPattern()),
    ];

    [GeneratedRegex(@"\G\{%(?<sign>[-+]?)\s*raw\s*(?:-%\}\s*|%\})")]
    private static partial Regex RawBegin();

    [GeneratedRegex(@"\{%(?<sign>[-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\}\n?)")]
    private static partial Regex RawEnd();

    [GeneratedRegex(@"\G(?<!\.)(?:[0-9]+_)*[0-9]+(?:(?:\.(?:[0-9]+_)*[0-9]+)?[eE][+\-]?(?:[0-9]+_)*[0-9]+|\.(?:[0-9]+_)*[0-9]+)")]
    private static partial Regex FloatPattern();

    [GeneratedRegex(@"\G(?:0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|[1-9](?:_?[0-9])*|0(?:_?0)*)")]
    private static partial Regex IntegerPattern();

    [GeneratedRegex(@"\G\w+")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\G(?:'(?:[^'\\]|\\.)*'|""(?:[^""\\]|\\.)*"")", RegexOptions.Singleline)]
    private static partial Regex StringPattern();

    [GeneratedRegex(@"\G(?://|\*\*|==|!=|>=|<=|[-+/*%~\[\](){}<>=.:|,;])")]
    private static partial Regex SignPattern();
}
