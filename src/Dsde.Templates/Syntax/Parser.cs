namespace Dsde.Templates.Syntax;

/// <summary>Makes statements and expressions of tokens.</summary>
internal sealed partial class Parser
{
    private static readonly string[] Constants = ["true", "false", "none", "True", "False", "None"];

    private readonly TokenStream _stream;
    private readonly int _maxDepth;
    private readonly HashSet<string> _blocks = new(StringComparer.Ordinal);
    private int _depth;
    private int _loops;

    private Parser(TokenStream stream, int maxDepth)
    {
        _stream = stream;
        _maxDepth = maxDepth;
    }

    /// <exception cref="TemplateException">It is no template, or wants what is not supported.</exception>
    public static IReadOnlyList<Statement> Parse(string source, int maxDepth)
    {
        var parser = new Parser(new TokenStream(Lexer.Read(source)), maxDepth);
        return parser.ParseBody([]);
    }

    /// <summary>Statements up to one of some tags, which is left, or to the template's end.</summary>
    private List<Statement> ParseBody(string[] ends)
    {
        Enter();
        var body = new List<Statement>();
        while (true)
        {
            var token = _stream.Next();
            switch (token.Kind)
            {
                case TokenKind.Data:
                    body.Add(new DataOutput(token.Line, token.Text));
                    break;
                case TokenKind.VariableBegin:
                    body.Add(new ValueOutput(token.Line, ParseTuple()));
                    _stream.Expect(TokenKind.VariableEnd, "the end of the print statement");
                    break;
                case TokenKind.BlockBegin when Array.Exists(ends, _stream.Current.IsName):
                    Leave();
                    return body;
                case TokenKind.BlockBegin:
                    body.AddRange(ParseStatement());
                    _stream.Expect(TokenKind.BlockEnd, "the end of the statement");
                    break;
                default:
                    Leave();
                    return ends.Length == 0 ? body : throw new TemplateException(token.Line, $"the template ends before '{ends[^1]}'");
            }
        }
    }

    /// <summary>The rest of a tag, and statements up to one of some tags.</summary>
    private List<Statement> ParseStatements(params string[] ends)
    {
        _stream.SkipSign(":");
        _stream.Expect(TokenKind.BlockEnd, "the end of the statement");
        return ParseBody(ends);
    }

    private List<Statement> ParseScope(string end)
    {
        var loops = _loops;
        _loops = 0;
        var body = ParseStatements(end);
        _stream.Next();
        _loops = loops;
        return body;
    }

    private IEnumerable<Statement> ParseStatement()
    {
        var line = _stream.Current.Line;
        var tag = _stream.ExpectName();
        return tag switch
        {
            "if" => [ParseIf(line)],
            "for" => [ParseFor(line)],
            "set" => [ParseSet(line)],
            "with" => [ParseWith(line)],
            "macro" => [ParseMacro(line)],
            "call" => [ParseCallBlock(line)],
            "filter" => [new FilterBlock(line, ParseFilter(null, isInline: true)!, ParseScope("endfilter"))],
            "generation" => [new ScopedBlock(line, ParseScope("endgeneration"))],
            "print" => ParsePrint(line),
            "break" or "continue" => _loops > 0
                ? [new Jump(line, tag == "break")]
                : throw new TemplateException(line, $"'{tag}' outside of a loop"),
            "block" => [ParseBlock(line)],
            "extends" or "include" or "import" or "from" or "autoescape" => throw new TemplateException(
                line,
                $"the statement '{tag}' is not supported: a chat template has no other files"
            ),
            _ => throw new TemplateException(line, $"Encountered unknown tag '{tag}'."),
        };
    }

    private Block ParseBlock(int line)
    {
        var name = _stream.ExpectName();
        var (isScoped, isRequired) = (_stream.SkipName("scoped"), _stream.SkipName("required"));
        if (!_blocks.Add(name))
        {
            throw new TemplateException(line, $"block '{name}' defined twice");
        }

        var body = ParseScope("endblock");
        _stream.SkipName(name);
        return isRequired && !body.All(statement => statement is DataOutput data && string.IsNullOrWhiteSpace(data.Text))
            ? throw new TemplateException(line, "Required blocks can only contain comments or whitespace")
            : new Block(line, name, isScoped, isRequired, body);
    }

    private If ParseIf(int line)
    {
        var branches = new List<(Expression?, IReadOnlyList<Statement>)>();
        for (var end = "elif"; end != "endif"; )
        {
            var test = end == "elif" ? ParseTuple(withConditional: false) : null;
            var body = test is null ? ParseStatements("endif") : ParseStatements("elif", "else", "endif");
            branches.Add((test, body));
            end = _stream.Next().Text;
        }

        return new If(line, branches);
    }

    private For ParseFor(int line)
    {
        var target = ParseTarget(ends: ["in"]);
        if (SyntaxWalk.All(target).Any(part => part is Name { Text: "loop" }))
        {
            throw new TemplateException(line, "a variable of a loop can't be called 'loop'");
        }

        if (!_stream.SkipName("in"))
        {
            throw _stream.Unexpected("'in'");
        }

        var items = ParseTuple(withConditional: false, ends: ["recursive"]);
        var test = _stream.SkipName("if") ? ParseExpression() : null;
        var isRecursive = _stream.SkipName("recursive");
        _loops++;
        var body = ParseStatements("endfor", "else");
        _loops--;
        List<Statement> otherwise = [];
        if (_stream.Next().Text == "else")
        {
            otherwise = ParseStatements("endfor");
            _stream.Next();
        }

        return new For(line, target, items, test, body, otherwise, isRecursive);
    }

    private Statement ParseSet(int line)
    {
        var target = ParseTarget(withNamespace: true);
        if (_stream.SkipSign("="))
        {
            return new Assignment(line, target, ParseTuple());
        }

        var filter = ParseFilter(null, isInline: false);
        return new BlockAssignment(line, target, filter, ParseScope("endset"));
    }

    private With ParseWith(int line)
    {
        var values = new List<(Expression, Expression)>();
        while (_stream.Current.Kind != TokenKind.BlockEnd)
        {
            if (values.Count > 0)
            {
                _stream.ExpectSign(",");
            }

            var target = ParseTarget();
            _stream.ExpectSign("=");
            values.Add((target, ParseExpression()));
        }

        var loops = _loops;
        var body = ParseStatements("endwith");
        _loops = loops;
        _stream.Next();
        return new With(line, values, body);
    }

    private MacroDefinition ParseMacro(int line)
    {
        var name = ParseNameTarget();
        return new MacroDefinition(line, name, ParseMacroBody(ParseSignature(), "endmacro"));
    }

    private CallBlock ParseCallBlock(int line)
    {
        var parameters = _stream.Current.IsSign("(") ? ParseSignature() : [];
        var call = ParseExpression() as Call ?? throw new TemplateException(line, "expected call");
        return new CallBlock(line, call, ParseMacroBody(parameters, "endcall"));
    }

    private MacroBody ParseMacroBody(List<(string, Expression?)> parameters, string end)
    {
        var body = ParseScope(end);
        var mentions = SyntaxWalk
            .ExpressionsOf(body)
            .OfType<Name>()
            .Select(name => name.Text)
            .Where(name => IsSpecial(name) && (name == "caller" || parameters.TrueForAll(parameter => parameter.Item1 != name)));
        return new MacroBody(parameters, body, mentions.ToHashSet(StringComparer.Ordinal));
    }

    private static bool IsSpecial(string name) => name is "caller" or "varargs" or "kwargs";

    private List<(string Name, Expression? Default)> ParseSignature()
    {
        var parameters = new List<(string Name, Expression? Default)>();
        _stream.ExpectSign("(");
        while (!_stream.Current.IsSign(")"))
        {
            if (parameters.Count > 0)
            {
                _stream.ExpectSign(",");
            }

            var name = ParseNameTarget();
            var value = _stream.SkipSign("=") ? ParseExpression() : null;
            if (value is null && parameters.Count > 0 && parameters[^1].Default is not null)
            {
                throw _stream.Fail("non-default argument follows default argument");
            }

            parameters.Add((name, value));
        }

        _stream.ExpectSign(")");
        return parameters;
    }

    private List<Statement> ParsePrint(int line)
    {
        var values = new List<Statement>();
        while (_stream.Current.Kind != TokenKind.BlockEnd)
        {
            if (values.Count > 0)
            {
                _stream.ExpectSign(",");
            }

            values.Add(new ValueOutput(line, ParseExpression()));
        }

        return values;
    }

    private string ParseNameTarget()
    {
        var name = _stream.ExpectName();
        return Constants.Contains(name, StringComparer.Ordinal) ? throw _stream.Fail($"can't assign to '{name}'") : name;
    }

    private Expression ParseTarget(string[]? ends = null, bool withNamespace = false)
    {
        var line = _stream.Current.Line;
        var items = new List<Expression>();
        var isTuple = false;
        while (!IsTupleEnd(ends ?? []) && !_stream.Current.IsSign("="))
        {
            items.Add(ParseTargetItem(withNamespace));
            if (!_stream.SkipSign(","))
            {
                break;
            }

            isTuple = true;
        }

        return isTuple ? new TupleLiteral(line, items)
            : items.Count == 1 ? items[0]
            : throw _stream.Unexpected("a name to assign to");
    }

    private Expression ParseTargetItem(bool withNamespace)
    {
        Enter();
        var line = _stream.Current.Line;
        Expression target;
        if (_stream.SkipSign("("))
        {
            target = ParseTarget();
            _stream.ExpectSign(")");
        }
        else
        {
            var name = ParseNameTarget();
            target = withNamespace && _stream.SkipSign(".") ? new NamespaceTarget(line, name, _stream.ExpectName()) : new Name(line, name);
        }

        Leave();
        return target;
    }

    private bool IsTupleEnd(string[] ends) =>
        _stream.Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd
        || _stream.Current.IsSign(")")
        || Array.Exists(ends, _stream.Current.IsName);

    private void Enter()
    {
        if (++_depth > _maxDepth || !System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw Running.Budget.TooDeep(_maxDepth).At(_stream.Current.Line);
        }
    }

    private void Leave() => _depth--;
}
