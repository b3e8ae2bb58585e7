using System.Globalization;
using System.Text;
using Dsde.Grammars.Automata;

namespace Dsde.Grammars.Regexes;

/// <summary>
/// Reads regular expressions as ECMA-262 spells them (with the flag <c>u</c>), as far as they are regular: no references back, no looking
/// around, no word boundaries, and anchors at the ends only.
/// </summary>
internal sealed class RegexParser
{
    private const string Specials = "^$\\.*+?()[]{}|/-";
    private static readonly ScalarSet Digits = ScalarSet.Of(('0', '9'));
    private static readonly ScalarSet WordCharacters = ScalarSet.Of(('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_'));
    private static readonly ScalarSet LineEnds = ScalarSet.Of(('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029));

    private static readonly ScalarSet Spaces = ScalarSet.Of(
        ('\t', '\r'),
        (' ', ' '),
        (0xA0, 0xA0),
        (0x1680, 0x1680),
        (0x2000, 0x200A),
        (0x2028, 0x2029),
        (0x202F, 0x202F),
        (0x205F, 0x205F),
        (0x3000, 0x3000),
        (0xFEFF, 0xFEFF)
    );

    private readonly int[] _text;
    private readonly Func<ScalarSet, Pattern> _encode;
    private int _place;
    private int _depth;

    private RegexParser(string text, Func<ScalarSet, Pattern> encode)
    {
        _text = [.. text.EnumerateRunes().Select(rune => rune.Value)];
        _encode = encode;
    }

    private bool IsAtEnd => _place >= _text.Length;

    private int Current => IsAtEnd ? -1 : _text[_place];

    /// <summary>The strings that an expression matches from their beginning to their end, whether it has anchors there or not.</summary>
    /// <param name="expression">The expression.</param>
    /// <param name="encode">One character of a set as bytes.</param>
    /// <exception cref="GrammarException">It is no such expression; the place is a character of it, from 1.</exception>
    public static Pattern ParseWhole(string expression, Func<ScalarSet, Pattern> encode) =>
        Choose(new RegexParser(expression, encode).ParseAll(), (branch, _) => branch.Body);

    /// <summary>The strings that an expression matches anywhere in them, as <c>pattern</c> of JSON Schema means it.</summary>
    /// <inheritdoc cref="ParseWhole"/>
    public static Pattern ParseSearch(string expression, Func<ScalarSet, Pattern> encode) =>
        Choose(
            new RegexParser(expression, encode).ParseAll(),
            (branch, _) =>
            {
                var rest = new Pattern.Repeat(encode(ScalarSet.All), 0, null);
                List<Pattern> parts = [branch.Body];
                if (!branch.IsFromStart)
                {
                    parts.Insert(0, rest);
                }

                if (!branch.IsToEnd)
                {
                    parts.Add(rest);
                }

                return new Pattern.Sequence(parts);
            }
        );

    private static Pattern Choose(List<Branch> branches, Func<Branch, int, Pattern> pick) =>
        branches.Count == 1 ? pick(branches[0], 0) : new Pattern.Choice([.. branches.Select(pick)]);

    private List<Branch> ParseAll()
    {
        var branches = ParseBranches();
        return IsAtEnd ? branches : throw Mistake("has a ')' that closes nothing; write '\\)' for the character");
    }

    /// <summary>Alternatives, each with its anchors told apart.</summary>
    private List<Branch> ParseBranches()
    {
        if (++_depth > GrammarLimits.MaxDefinitionDepth)
        {
            throw Mistake($"is nested deeper than {GrammarLimits.MaxDefinitionDepth} groups; simplify the expression");
        }

        List<Branch> branches = [ParseBranch()];
        while (Current == '|')
        {
            _place++;
            branches.Add(ParseBranch());
        }

        _depth--;
        return branches;
    }

    private Branch ParseBranch()
    {
        var parts = new List<Pattern>();
        var (isFromStart, isToEnd) = (false, false);
        var anchored = -1;
        while (!IsAtEnd && Current is not ('|' or ')'))
        {
            if (isToEnd)
            {
                throw new GrammarException(Where(anchored), "has '$' before the end; an anchor may stand at the ends only.");
            }

            if (Current == '^')
            {
                isFromStart = parts.Count == 0 ? true : throw Mistake("has '^' behind the beginning; an anchor may stand at the ends only");
                _place++;
                continue;
            }

            if (Current == '$')
            {
                (isToEnd, anchored) = (true, _place);
                _place++;
                continue;
            }

            var start = _place;
            if (TryParseGroup() is { } group)
            {
                if (group.All(branch => !branch.IsFromStart && !branch.IsToEnd))
                {
                    parts.Add(ParseRepeats(Choose(group, (branch, _) => branch.Body)));
                }
                else if (parts.Count == 0 && Current is -1 or '|' or ')' && group.Count == 1)
                {
                    // A group that is all there is: its anchors are the expression's.
                    parts.Add(group[0].Body);
                    isFromStart |= group[0].IsFromStart;
                    isToEnd |= group[0].IsToEnd;
                }
                else
                {
                    throw new GrammarException(Where(start), "has a group with an anchor; put anchors outside of groups.");
                }
            }
            else
            {
                parts.Add(ParseRepeats(ParseAtom()));
            }
        }

        return new Branch(parts.Count == 1 ? parts[0] : new Pattern.Sequence(parts), isFromStart, isToEnd);
    }

    private List<Branch>? TryParseGroup()
    {
        if (Current != '(')
        {
            return null;
        }

        _place++;
        if (Current == '?')
        {
            SkipGroupKind();
        }

        var branches = ParseBranches();
        if (Current != ')')
        {
            throw Mistake("has a '(' that is not closed; add ')'");
        }

        _place++;
        return branches;
    }

    private void SkipGroupKind()
    {
        _place++;
        if (Current == ':')
        {
            _place++;
            return;
        }

        var isName = Current == '<' && _place + 1 < _text.Length && _text[_place + 1] is not ('=' or '!');
        while (isName && !IsAtEnd && Current != '>')
        {
            _place++;
        }

        if (!isName || IsAtEnd)
        {
            throw Mistake("looks ahead or behind, or sets a flag, which no automaton does; leave it out");
        }

        _place++;
    }

    private Pattern ParseRepeats(Pattern item)
    {
        var start = _place;
        (int Least, int? Most)? times = Current switch
        {
            '*' => (0, null),
            '+' => (1, null),
            '?' => (0, 1),
            '{' => ParseCounts(),
            _ => null,
        };
        if (times is not var (least, most))
        {
            return item;
        }

        _place = _place == start ? start + 1 : _place;
        if (Current == '?')
        {
            _place++; // lazy: the strings are the same
        }

        return Current is '*' or '+' or '?' or '{'
            ? throw Mistake("repeats a repetition; put the first into a group")
            : new Pattern.Repeat(item, least, most);
    }

    private (int, int?) ParseCounts()
    {
        var start = _place++;
        var least = ParseCount() ?? throw new GrammarException(Where(start), "has a '{' without a count; write '\\{' for the character.");
        var most = (int?)least;
        if (Current == ',')
        {
            _place++;
            most = ParseCount();
        }

        if (Current != '}' || most < least)
        {
            throw new GrammarException(Where(start), "has counts that can't be read; give {n}, {n,} or {n,m}.");
        }

        _place++;
        return (least, most);
    }

    private int? ParseCount()
    {
        var start = _place;
        while (Current is >= '0' and <= '9' && _place - start < 7)
        {
            _place++;
        }

        return _place == start
            ? null
            : int.Parse(string.Concat(_text[start.._place].Select(digit => (char)digit)), CultureInfo.InvariantCulture);
    }

    private Pattern ParseAtom()
    {
        switch (Current)
        {
            case '.':
                _place++;
                return _encode(LineEnds.Complement());
            case '[':
                return _encode(ParseClass());
            case '\\':
                _place++;
                return _encode(ParseEscape(isInClass: false));
            case '*' or '+' or '?' or '{':
                throw Mistake("repeats nothing; write a backslash before the character");
            default:
                return _encode(One(_text[_place++]));
        }
    }

    private ScalarSet ParseClass()
    {
        var start = _place++;
        var isNegated = Current == '^';
        _place += isNegated ? 1 : 0;
        var set = ScalarSet.Of();
        while (Current != ']')
        {
            if (IsAtEnd)
            {
                throw new GrammarException(Where(start), "has a '[' that is not closed; add ']'.");
            }

            var first = ParseClassPart();
            if (Current == '-' && _place + 1 < _text.Length && _text[_place + 1] != ']')
            {
                var dash = _place++;
                var last = ParseClassPart();
                set =
                    ValueOf(first) is { } low && ValueOf(last) is { } high && low <= high
                        ? set.Union(ScalarSet.Of((low, high)))
                        : throw new GrammarException(Where(dash), "has a range whose ends are no characters in order.");
            }
            else
            {
                set = set.Union(first);
            }
        }

        _place++;
        return isNegated ? set.Complement() : set;
    }

    private ScalarSet ParseClassPart()
    {
        if (Current != '\\')
        {
            return IsAtEnd ? throw Mistake("ends within a class; add ']'") : One(_text[_place++]);
        }

        _place++;
        return ParseEscape(isInClass: true);
    }

    private ScalarSet ParseEscape(bool isInClass)
    {
        if (IsAtEnd)
        {
            throw Mistake("ends with a backslash; write two for the character");
        }

        var escaped = _text[_place++];
        return escaped switch
        {
            'd' => Digits,
            'D' => Digits.Complement(),
            'w' => WordCharacters,
            'W' => WordCharacters.Complement(),
            's' => Spaces,
            'S' => Spaces.Complement(),
            't' => One('\t'),
            'n' => One('\n'),
            'r' => One('\r'),
            'f' => One('\f'),
            'v' => One('\v'),
            'b' when isInClass => One('\b'),
            'x' => One(ParseHex(2)),
            'u' => One(ParseCodePoint()),
            _ when escaped < 128 && Specials.Contains((char)escaped, StringComparison.Ordinal) => One(escaped),
            _ => throw new GrammarException(
                Where(_place - 2),
                $"has the escape '\\{new Rune(escaped)}', which is not supported; supported are \\d \\D \\w "
                    + $"\\W \\s \\S \\t \\n \\r \\f \\v "
                    + "\\xHH \\uHHHH \\u{H} and escaped signs."
            ),
        };
    }

    private int ParseCodePoint()
    {
        if (Current == '{')
        {
            _place++;
            var digits = 0;
            while (_place + digits < _text.Length && _text[_place + digits] != '}' && digits < 7)
            {
                digits++;
            }

            var value = ParseHex(digits);
            return Current == '}' && Rune.IsValid(value) ? Skip(value) : throw Mistake("has a \\u{…} that is no character");
        }

        var unit = ParseHex(4);
        if (!char.IsHighSurrogate((char)unit))
        {
            return char.IsLowSurrogate((char)unit) ? throw Mistake("has half a surrogate pair; write both halves, or \\u{…}") : unit;
        }

        if (Current != '\\' || _place + 1 >= _text.Length || _text[_place + 1] != 'u')
        {
            throw Mistake("has half a surrogate pair; write both halves, or \\u{…}");
        }

        _place += 2;
        var low = ParseHex(4);
        return char.IsLowSurrogate((char)low)
            ? char.ConvertToUtf32((char)unit, (char)low)
            : throw Mistake("has half a surrogate pair; write both halves, or \\u{…}");

        int Skip(int value)
        {
            _place++;
            return value;
        }
    }

    private int ParseHex(int digits)
    {
        var value = 0;
        for (var i = 0; i < digits; i++)
        {
            var digit =
                Current is >= 0 and < 128 && char.IsAsciiHexDigit((char)Current) ? Convert.ToInt32(((char)Current).ToString(), 16) : -1;
            if (digit < 0)
            {
                throw Mistake("has an escape without its hexadecimal digits");
            }

            value = (value << 4) | digit;
            _place++;
        }

        return digits == 0 ? throw Mistake("has an escape without its hexadecimal digits") : value;
    }

    private static ScalarSet One(int scalar) => ScalarSet.Of((scalar, scalar));

    private static int? ValueOf(ScalarSet set) => set.Ranges is [var (first, last)] && first == last ? first : null;

    private GrammarException Mistake(string what) => new(Where(_place), what + ".");

    private static string Where(int place) => $"character {place + 1}";

    /// <summary>An alternative, and whether it holds from the beginning and to the end.</summary>
    private readonly record struct Branch(Pattern Body, bool IsFromStart, bool IsToEnd);
}
