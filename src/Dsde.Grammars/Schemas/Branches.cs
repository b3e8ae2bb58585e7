using System.Text.Json;
using Dsde.Grammars.Automata;

namespace Dsde.Grammars.Schemas;

/// <summary>
/// Whether no output of one branch of a <c>oneOf</c> could be valid under another: what is written is by this project's rules, what counts
/// as valid by JSON Schema's.
/// </summary>
internal sealed class Branches
{
    private const int MostDepth = 16; // beyond, branches are taken not to differ

    private readonly JsonElement _root;

    private Branches(JsonElement root) => _root = root;

    /// <exception cref="GrammarException">An output could match two branches.</exception>
    public static void RequireDistinguishable(JsonElement root, SchemaNode oneOf)
    {
        var branches = oneOf.Items();
        var comparison = new Branches(root);
        for (var i = 0; i < branches.Count; i++)
        {
            for (var j = 0; j < branches.Count; j++)
            {
                if (i != j && !comparison.NeverMatches(branches[i], branches[j], 0))
                {
                    throw oneOf.Mistake(
                        $"has branches {Math.Min(i, j)} and {Math.Max(i, j)} that one value could match both; give each a required "
                            + "property with a const of its own, or use anyOf"
                    );
                }
            }
        }
    }

    private bool NeverMatches(SchemaNode written, SchemaNode judge, int depth)
    {
        (written, judge) = (Follow(written), Follow(judge));
        if (depth > MostDepth || judge.Value.ValueKind == JsonValueKind.True || written.Value.ValueKind == JsonValueKind.True)
        {
            return false;
        }

        if (written.Value.ValueKind == JsonValueKind.False || judge.Value.ValueKind == JsonValueKind.False)
        {
            return true;
        }

        if (BranchesOf(written) is { } parts)
        {
            return parts.All(part => NeverMatches(part, judge, depth + 1))
                && !(SchemaTypes.IsNullable(written) && KindsOfJudge(judge)?.Contains("null") != false);
        }

        if (BranchesOf(judge) is { } judges)
        {
            return judges.All(part => NeverMatches(written, part, depth + 1));
        }

        var kinds = KindsOfWritten(written);
        var allowed = KindsOfJudge(judge);
        return kinds is not null
            && kinds.Where(kind => allowed?.Contains(kind) != false).All(kind => NeverMatches(kind, written, judge, depth));
    }

    private bool NeverMatches(string kind, SchemaNode written, SchemaNode judge, int depth)
    {
        if (IsLiteral(written) && IsLiteral(judge))
        {
            var values = LiteralValues.Find(judge);
            return LiteralValues.Find(written).All(value => !values.Any(other => JsonElement.DeepEquals(value.Value, other.Value)));
        }

        return kind switch
        {
            "string" => DfaBuilder.Intersect(StringsOf(written), StringsOf(judge)) is null,
            "number" when !IsLiteral(written) && !IsLiteral(judge) => AreApart(written, judge),
            "object" when !IsLiteral(written) && !IsLiteral(judge) => ObjectNeverMatches(written, judge, depth),
            _ => false,
        };
    }

    private bool ObjectNeverMatches(SchemaNode written, SchemaNode judge, int depth)
    {
        var (shape, other) = (ObjectShape.Read(written), ObjectShape.Read(judge));
        var isMissing = other.Properties.Any(property =>
            property.IsRequired && shape.Others is null && shape.Properties.All(mine => mine.Name != property.Name)
        );
        var isClosed = judge.Find("additionalProperties") is { ValueKind: JsonValueKind.False };
        return isMissing
            || shape
                .Properties.Where(property => property.IsRequired)
                .Any(property =>
                    other
                        .Properties.Where(theirs => theirs.Name == property.Name)
                        .Select(theirs => (SchemaNode?)theirs.Schema)
                        .FirstOrDefault()
                        is { } schema
                        ? NeverMatches(property.Schema, schema, depth + 1)
                        : isClosed
                );
    }

    private static bool AreApart(SchemaNode one, SchemaNode other)
    {
        var (first, second) = (NumberSchemas.FindBounds(one), NumberSchemas.FindBounds(other));
        return IsBelow(first.Most, second.Least, first.IsBelow || second.IsAbove)
            || IsBelow(second.Most, first.Least, second.IsBelow || first.IsAbove);
    }

    private static bool IsBelow(decimal? most, decimal? least, bool isExclusive) => most < least || (isExclusive && most == least);

    private static Terminal StringsOf(SchemaNode schema) => IsLiteral(schema) ? LiteralValues.Create(schema) : StringSchemas.Create(schema);

    private static bool IsLiteral(SchemaNode schema) => schema.Has("const") || schema.Has("enum");

    private SchemaNode Follow(SchemaNode schema)
    {
        for (var i = 0; i < MostDepth && schema.Child("$ref") is { } reference && !SchemaTypes.IsNullable(schema); i++)
        {
            schema = References.Resolve(_root, reference);
        }

        return schema;
    }

    private IReadOnlyList<SchemaNode>? BranchesOf(SchemaNode schema) =>
        schema.Child("$ref") is { } reference
            ? [References.Resolve(_root, reference)]
            : (schema.Child("anyOf") ?? schema.Child("oneOf") ?? schema.Child("allOf"))?.Items();

    /// <summary>Types of what is written, numbers as one; null for any.</summary>
    private static IReadOnlyList<string>? KindsOfWritten(SchemaNode schema)
    {
        if (IsLiteral(schema))
        {
            return KindsOf(LiteralValues.Find(schema));
        }

        var types = SchemaTypes.Find(schema);
        return types.Count == 0 ? null : [.. types.Select(KindOf), .. SchemaTypes.IsNullable(schema) ? (string[])["null"] : []];
    }

    /// <summary>Types that a schema lets pass, whether they are ever written or not; null for all.</summary>
    private static IReadOnlyList<string>? KindsOfJudge(SchemaNode schema) =>
        IsLiteral(schema) ? KindsOf(LiteralValues.Find(schema))
        : SchemaTypes.FindGiven(schema) is { } types
            ? [.. types.Select(KindOf), .. SchemaTypes.IsNullable(schema) ? (string[])["null"] : []]
        : null;

    private static IReadOnlyList<string> KindsOf(IReadOnlyList<SchemaNode> values) =>
        [.. values.Select(value => Kinds.First(kind => SchemaTypes.Is(value.Value, kind))).Distinct()];

    private static string KindOf(string type) => type == "integer" ? "number" : type;

    private static readonly string[] Kinds = ["object", "array", "string", "number", "boolean", "null"];
}
