using Dsde.Grammars.Automata;
using Dsde.Grammars.Regexes;
using Dsde.Grammars.Rules;

namespace Dsde.Grammars.Schemas;

/// <summary>JSON without a schema, and what all JSON has.</summary>
internal static class AnyValue
{
    /// <summary>A comma or a colon, and one space behind it if the model likes.</summary>
    public static Pattern Comma { get; } = Pattern.Join(Pattern.Of(","u8), Pattern.Optional(Pattern.Of(" "u8)));

    /// <inheritdoc cref="Comma"/>
    public static Pattern Colon { get; } = Pattern.Join(Pattern.Of(":"u8), Pattern.Optional(Pattern.Of(" "u8)));

    /// <summary>Any number: finite in double precision, and no digits that it would lose but for some at the end.</summary>
    public static ByteDfa Number { get; } = Compile(@"-?(0|[1-9]\d{0,17})(\.\d{1,15})?([eE][+-]?\d{1,2})?");

    /// <summary>Any whole number that 64 bits hold, without a sign at zero.</summary>
    public static ByteDfa WholeNumber { get; } = Compile(@"0|-?[1-9]\d{0,17}");

    /// <summary>true, false and null.</summary>
    public static Pattern Word { get; } = new Pattern.Choice([Pattern.Of("true"u8), Pattern.Of("false"u8), Pattern.Of("null"u8)]);

    /// <summary>An object of any content.</summary>
    public static void AddObject(RuleSet rules, RuleNode from, RuleNode to) => new Rule(rules).AddObject(from, to);

    /// <summary>Makes an automaton of an expression for bytes.</summary>
    public static ByteDfa Compile(string expression) =>
        PatternCompiler.Compile(RegexParser.ParseWhole(expression, Utf8.Encode))
        ?? throw new InvalidOperationException($"Nothing matches {expression}.");

    /// <summary>The rules of any value, made once per grammar.</summary>
    public sealed class Rule
    {
        private readonly RuleNode _object,
            _array;

        public Rule(RuleSet rules)
        {
            (_object, _array) = (rules.AddNode(), rules.AddNode());
            var end = rules.AddNode(isEnd: true);
            FillObject(rules, end);
            FillArray(rules, end);
        }

        /// <summary>Any object.</summary>
        public void AddObject(RuleNode from, RuleNode to) => from.AddCall(_object, to);

        /// <summary>Any array.</summary>
        public void AddArray(RuleNode from, RuleNode to) => from.AddCall(_array, to);

        /// <summary>Any value.</summary>
        public void Add(RuleNode from, RuleNode to)
        {
            from.Add(Word, to);
            from.Add(Number, to);
            from.Add(BoundedString.Unbounded, to);
            AddObject(from, to);
            AddArray(from, to);
        }

        private void FillObject(RuleSet rules, RuleNode end)
        {
            var (opened, key, colon, value, behind) = (rules.AddNode(), rules.AddNode(), rules.AddNode(), rules.AddNode(), rules.AddNode());
            _object.Add(Pattern.Of("{"u8), opened);
            opened.Add(Pattern.Of("}"u8), end);
            opened.Add(BoundedString.Unbounded, colon);
            key.Add(BoundedString.Unbounded, colon);
            colon.Add(Colon, value);
            Add(value, behind);
            behind.Add(Comma, key);
            behind.Add(Pattern.Of("}"u8), end);
        }

        private void FillArray(RuleSet rules, RuleNode end)
        {
            var (opened, item, behind) = (rules.AddNode(), rules.AddNode(), rules.AddNode());
            _array.Add(Pattern.Of("["u8), opened);
            opened.Add(Pattern.Of("]"u8), end);
            Add(opened, behind);
            Add(item, behind);
            behind.Add(Comma, item);
            behind.Add(Pattern.Of("]"u8), end);
        }
    }
}
