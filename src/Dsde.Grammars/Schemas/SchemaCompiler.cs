using System.Text.Json;
using Dsde.Grammars.Automata;
using Dsde.Grammars.Rules;

namespace Dsde.Grammars.Schemas;

/// <summary>
/// Makes rules of a JSON Schema. What they let through is valid; not everything that is valid is let through: properties come in the
/// schema's order, others only where the schema asks for them, and each value is written in one way but for a space behind commas and
/// colons.
/// </summary>
internal sealed class SchemaCompiler
{
    private const int MostItems = 10_000;

    private readonly JsonElement _root;
    private readonly RuleSet _rules;
    private readonly Dictionary<string, RuleNode> _containers = [];
    private readonly Dictionary<string, Terminal> _terminals = [];
    private readonly Lazy<AnyValue.Rule> _any;
    private HashSet<string> _openReferences = [];
    private int _depth;

    private SchemaCompiler(JsonElement root, RuleSet rules)
    {
        _root = root;
        _rules = rules;
        _any = new Lazy<AnyValue.Rule>(() => new AnyValue.Rule(rules));
    }

    /// <summary>Adds all values of a schema between two places.</summary>
    /// <exception cref="GrammarException">It is no schema, unsupported or too large.</exception>
    public static void Compile(string json, RuleSet rules, RuleNode from, RuleNode to)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = GrammarLimits.MaxDefinitionDepth });
            new SchemaCompiler(document.RootElement, rules).Add(new SchemaNode(document.RootElement, "#"), from, to);
        }
        catch (JsonException exception)
        {
            throw new GrammarException(
                "#",
                $"is no JSON that can be read, nested at most {GrammarLimits.MaxDefinitionDepth} deep: {exception.Message}"
            );
        }
    }

    private void Add(SchemaNode schema, RuleNode from, RuleNode to)
    {
        if (schema.Value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            if (schema.Value.GetBoolean())
            {
                _any.Value.Add(from, to);
            }

            return;
        }

        SchemaKeywords.Require(schema);
        if (++_depth > GrammarLimits.MaxDefinitionDepth)
        {
            throw schema.Mistake($"is nested deeper than {GrammarLimits.MaxDefinitionDepth} schemas");
        }

        if (schema.Has("const") || schema.Has("enum"))
        {
            from.Add(TerminalOf(schema, "", LiteralValues.Create), to);
        }
        else if (Array.Find(SchemaKeywords.Deciding, schema.Has) is { } deciding)
        {
            AddDeciding(schema, deciding, from, to);
            AddNull(schema, from, to);
        }
        else
        {
            AddTypes(schema, from, to);
        }

        _depth--;
    }

    private void AddDeciding(SchemaNode schema, string keyword, RuleNode from, RuleNode to)
    {
        var child = schema.Child(keyword)!.Value;
        switch (keyword)
        {
            case "$ref":
                AddReference(child, from, to);
                break;
            case "allOf" when child.Items().Count > 1:
                throw child.Mistake("has several schemas, whose intersection is not supported; write one schema that says all of it");
            case "oneOf":
                Branches.RequireDistinguishable(_root, child);
                goto default;
            default:
                foreach (var branch in child.Items())
                {
                    Add(branch, from, to);
                }

                break;
        }
    }

    private void AddReference(SchemaNode reference, RuleNode from, RuleNode to)
    {
        var target = References.Resolve(_root, reference);
        if (!_openReferences.Add(target.Pointer))
        {
            throw reference.Mistake($"leads to {target.Pointer}, which leads back here without an object or array between");
        }

        Add(target, from, to);
        _openReferences.Remove(target.Pointer);
    }

    private void AddTypes(SchemaNode schema, RuleNode from, RuleNode to)
    {
        var types = SchemaTypes.Find(schema);
        if (types.Count == 0)
        {
            _any.Value.Add(from, to);
            return;
        }

        foreach (var type in types)
        {
            switch (type)
            {
                case "object":
                    AddContainer(schema, type, FillObject, from, to);
                    break;
                case "array":
                    AddContainer(schema, type, FillArray, from, to);
                    break;
                case "string":
                    from.Add(TerminalOf(schema, type, StringSchemas.Create), to);
                    break;
                case "number":
                    from.Add(TerminalOf(schema, type, place => NumberSchemas.Create(place, isWhole: false)), to);
                    break;
                case "integer":
                    from.Add(TerminalOf(schema, type, place => NumberSchemas.Create(place, isWhole: true)), to);
                    break;
                case "boolean":
                    from.Add(new Pattern.Choice([Pattern.Of("true"u8), Pattern.Of("false"u8)]), to);
                    break;
                default:
                    from.Add(Pattern.Of("null"u8), to);
                    break;
            }
        }

        if (!types.Contains("null"))
        {
            AddNull(schema, from, to);
        }
    }

    private static void AddNull(SchemaNode schema, RuleNode from, RuleNode to)
    {
        if (SchemaTypes.IsNullable(schema))
        {
            from.Add(Pattern.Of("null"u8), to);
        }
    }

    private Terminal TerminalOf(SchemaNode schema, string type, Func<SchemaNode, Terminal> create) =>
        _terminals.TryGetValue($"{schema.Pointer} {type}", out var known) ? known : _terminals[$"{schema.Pointer} {type}"] = create(schema);

    /// <summary>Objects and arrays are rules of their own, made once for each place in the schema, which is how it may be
    /// recursive.</summary>
    private void AddContainer(SchemaNode schema, string type, Action<SchemaNode, RuleNode, RuleNode> fill, RuleNode from, RuleNode to)
    {
        var name = $"{schema.Pointer} {type}";
        if (!_containers.TryGetValue(name, out var start))
        {
            start = _containers[name] = _rules.AddNode();
            var outside = _openReferences;
            _openReferences = [];
            fill(schema, start, _rules.AddNode(isEnd: true));
            _openReferences = outside;
        }

        from.AddCall(start, to);
    }

    private void FillObject(SchemaNode schema, RuleNode start, RuleNode end)
    {
        var shape = ObjectShape.Read(schema);
        var count = shape.Properties.Count;
        var opened = _rules.AddNode();
        start.Add(Pattern.Of("{"u8), opened);
        RuleNode[] values = [.. shape.Properties.Select(_ => _rules.AddNode())];
        RuleNode[] behind = [.. shape.Properties.Select(_ => _rules.AddNode())];
        (RuleNode Key, Terminal Automaton, RuleNode Colon)? others = shape.Others is null ? null : AddOthers(shape, end);
        AddNext(opened, 0, isFirst: true);
        for (var i = 0; i < count; i++)
        {
            Add(shape.Properties[i].Schema, values[i], behind[i]);
            AddNext(behind[i], i + 1, isFirst: false);
            if (shape.Properties[i].IsRequired)
            {
                _rules.Name(values[i], shape.Properties[i].Schema.Pointer);
            }
        }

        // What may follow when the properties before a place are done: any up to the next that is required.
        void AddNext(RuleNode node, int from, bool isFirst)
        {
            for (var i = from; i < count; i++)
            {
                var name = Pattern.Join(Pattern.Of(JsonText.Quote(shape.Properties[i].Name)), AnyValue.Colon);
                node.Add(isFirst ? name : Pattern.Join(AnyValue.Comma, name), values[i]);
                if (shape.Properties[i].IsRequired)
                {
                    return;
                }
            }

            node.Add(Pattern.Of("}"u8), end);
            if (others is var (key, automaton, colon))
            {
                if (isFirst)
                {
                    node.Add(automaton, colon);
                }
                else
                {
                    AddBranch(node, key);
                }
            }
        }
    }

    /// <summary>A comma towards a node that is not entered by others, beside commas of named properties: an automaton of its own.</summary>
    private static void AddBranch(RuleNode node, RuleNode key) => node.Add(PatternCompiler.Compile(AnyValue.Comma)!, key);

    /// <summary>Properties that are not listed: any number of them, behind those that are.</summary>
    private (RuleNode Key, Terminal Automaton, RuleNode Colon) AddOthers(ObjectShape shape, RuleNode end)
    {
        var automaton = KeyAutomaton.Except([.. shape.Properties.Select(property => property.Name)]);
        var (key, colon, value, behind) = (_rules.AddNode(), _rules.AddNode(), _rules.AddNode(), _rules.AddNode());
        key.Add(automaton, colon);
        colon.Add(AnyValue.Colon, value);
        Add(shape.Others!.Value, value, behind);
        behind.Add(AnyValue.Comma, key);
        behind.Add(Pattern.Of("}"u8), end);
        return (key, automaton, colon);
    }

    private void FillArray(SchemaNode schema, RuleNode start, RuleNode end)
    {
        var first = schema.Child("prefixItems")?.Items() ?? [];
        var rest = schema.Child("items");
        if (rest is { Value.ValueKind: JsonValueKind.Array } list)
        {
            throw list.Mistake("must be one schema; give a list of them as prefixItems");
        }

        var (least, most) = (schema.Count("minItems") ?? 0, schema.Count("maxItems"));
        most = rest is { Value.ValueKind: JsonValueKind.False } ? Math.Min(most ?? first.Count, first.Count) : most;
        if (least > (most ?? least))
        {
            throw new GrammarException(
                schema.PointerOf("minItems"),
                $"is {least}, but there are at most {most} items; no array is so long."
            );
        }

        if (Math.Max(least, most ?? 0) > MostItems)
        {
            throw new GrammarException(
                schema.PointerOf(least > MostItems ? "minItems" : "maxItems"),
                $"is {Math.Max(least, most ?? 0)}; give at most {MostItems}, or no maximum."
            );
        }

        var node = _rules.AddNode();
        start.Add(Pattern.Of("["u8), node);
        var loopsFrom = Math.Max(Math.Max(least, first.Count), 1);
        for (var count = 0; ; count++)
        {
            var isFull = count == most;
            var item = count == 0 ? node : _rules.AddNode();
            if (count >= least)
            {
                node.Add(Pattern.Of("]"u8), end);
            }

            if (isFull)
            {
                return;
            }

            if (count > 0)
            {
                node.Add(AnyValue.Comma, item);
            }

            var isLoop = most is null && count >= loopsFrom;
            var next = isLoop ? node : _rules.AddNode();
            AddItem(count, item, next);
            if (isLoop)
            {
                return;
            }

            node = next;
        }

        void AddItem(int index, RuleNode from, RuleNode to)
        {
            if (index < first.Count)
            {
                Add(first[index], from, to);
            }
            else if (rest is { } schemaOfRest)
            {
                Add(schemaOfRest, from, to);
            }
            else
            {
                _any.Value.Add(from, to);
            }
        }
    }
}
