using System.Text.Json.Nodes;

namespace Dsde.Grammars.Tests;

/// <summary>Schemas at random, of everything that is supported.</summary>
internal sealed class SchemaMaker(int seed)
{
    private static readonly string[] Names = ["name", "id", "kind", "value", "a", "ab", "a b", "ä\"\\", "", "~/", "items", "type"];
    private static readonly string[] Patterns =
    [
        "^[a-z]{2,5}$",
        "^\\d{3}-\\d{2}$",
        "b+c",
        "^(x|yy)*$",
        "^[^\"\\\\]+$",
        "\\w\\s\\w",
        "^é?$",
        "[A-F0-9]{4}$",
    ];
    private readonly Random _random = new(seed);

    public JsonObject Make()
    {
        var schema = Object(3);
        if (_random.Next(3) == 0)
        {
            // A tree: recursion that may end.
            schema["$defs"] = new JsonObject
            {
                ["tree"] = new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = new JsonObject
                    {
                        ["label"] = Leaf(),
                        ["children"] = new JsonObject
                        {
                            ["type"] = "array",
                            ["items"] = new JsonObject { ["$ref"] = "#/$defs/tree" },
                            ["maxItems"] = _random.Next(1, 3),
                        },
                    },
                    ["required"] = new JsonArray("label"),
                    ["additionalProperties"] = false,
                },
            };
            schema["properties"]!["tree"] = new JsonObject { ["$ref"] = "#/$defs/tree" };
        }

        return schema;
    }

    private JsonObject Any(int depth) =>
        depth == 0
            ? Leaf()
            : _random.Next(8) switch
            {
                0 => Object(depth - 1),
                1 => Array(depth - 1),
                2 => new JsonObject { ["anyOf"] = new JsonArray(Any(depth - 1), Leaf(), new JsonObject { ["type"] = "null" }) },
                3 => new JsonObject { ["oneOf"] = new JsonArray(Tagged("one", depth - 1), Tagged("two", depth - 1)) },
                _ => Leaf(),
            };

    private JsonObject Object(int depth)
    {
        var names = Names.OrderBy(_ => _random.Next()).Take(_random.Next(0, 6)).ToList();
        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject(names.Select(name => KeyValuePair.Create<string, JsonNode?>(name, Any(depth)))),
            ["required"] = new JsonArray([.. names.Where(_ => _random.Next(2) == 0).Select(name => (JsonNode)name)]),
        };
        switch (_random.Next(4))
        {
            case 0:
                schema["additionalProperties"] = Leaf();
                break;
            case 1:
                schema["additionalProperties"] = true;
                break;
            case 2:
                schema["additionalProperties"] = false;
                break;
        }

        return schema;
    }

    private JsonObject Tagged(string tag, int depth) =>
        new()
        {
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["tag"] = new JsonObject { ["const"] = tag },
                ["more"] = Any(depth),
            },
            ["required"] = new JsonArray("tag"),
        };

    private JsonObject Array(int depth)
    {
        var schema = new JsonObject { ["type"] = "array", ["items"] = Any(depth) };
        var least = _random.Next(0, 4);
        if (_random.Next(2) == 0)
        {
            schema["minItems"] = least;
        }

        if (_random.Next(2) == 0)
        {
            schema["maxItems"] = least + _random.Next(0, 4);
        }

        if (_random.Next(3) == 0)
        {
            schema["prefixItems"] = new JsonArray(Leaf(), Leaf());
        }

        return schema;
    }

    private JsonObject Leaf() =>
        _random.Next(11) switch
        {
            0 => new JsonObject { ["type"] = "boolean" },
            1 => new JsonObject { ["type"] = "null" },
            2 => new JsonObject { ["enum"] = new JsonArray("red", "gr\"een", 7, 1.5, true, null, new JsonArray(1, "x")) },
            3 => new JsonObject { ["const"] = "ü\n" },
            4 => Number("integer"),
            5 => Number("number"),
            6 => new JsonObject { ["type"] = "string", ["pattern"] = Patterns[_random.Next(Patterns.Length)] },
            7 => new JsonObject { ["type"] = "string", ["format"] = new[] { "date", "date-time", "uuid" }[_random.Next(3)] },
            8 => new JsonObject { ["type"] = new JsonArray("string", "null", "integer") },
            9 => new JsonObject
            {
                ["type"] = "string",
                ["minLength"] = _random.Next(0, 4),
                ["maxLength"] = _random.Next(4, 40),
            },
            _ => new JsonObject { ["type"] = "string" },
        };

    private JsonObject Number(string type)
    {
        var schema = new JsonObject { ["type"] = type };
        var least = _random.Next(-1200, 1200) / (type == "integer" ? 1 : 8m);
        if (_random.Next(2) == 0)
        {
            schema[_random.Next(2) == 0 ? "minimum" : "exclusiveMinimum"] = least;
        }

        if (_random.Next(2) == 0)
        {
            schema[_random.Next(2) == 0 ? "maximum" : "exclusiveMaximum"] = least + _random.Next(3, 2000);
        }

        return schema;
    }
}
