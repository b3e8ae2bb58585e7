using System.Text;
using System.Text.Json;

namespace Dsde.Grammars.Tests;

public sealed class SchemaTests
{
    private const string Person = """
        {"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"tags":{"type":"array","items":{"type":"string"}}},
        "required":["name","tags"]}
        """;

    [Theory]
    [InlineData("{\"name\":\"x\",\"age\":3,\"tags\":[]}", true)]
    [InlineData("{\"name\": \"x\", \"age\": 3, \"tags\": [\"a\", \"b\",\"c\"]}", true)]
    [InlineData("{\"name\":\"\",\"tags\":[\"\"]}", true)]
    [InlineData("{\"name\":\"x\",\"tags\":[],\"age\":3}", false)] // another order
    [InlineData("{\"name\":\"x\",\"age\":3}", false)]
    [InlineData("{\"name\":\"x\",\"tags\":[],\"more\":1}", false)] // not listed
    [InlineData("{ \"name\":\"x\",\"tags\":[]}", false)] // white space elsewhere
    [InlineData("{\"name\":  \"x\",\"tags\":[]}", false)]
    [InlineData("{\"name\":\"x\",\"tags\":[]", false)]
    [InlineData("{\"name\":\"x\",\"tags\":[]} ", false)]
    [InlineData("{\"name\":\"\\u0041\",\"tags\":[]}", false)] // an escape that need not be
    [InlineData("{\"name\":\"\\u001f\\n\\\"ä😀\",\"tags\":[]}", true)]
    [InlineData("{\"name\":\"\\u0000\",\"tags\":[]}", false)]
    [InlineData("{\"name\":\"\n\",\"tags\":[]}", false)]
    public void Objects_have_their_properties_in_the_schemas_order_and_no_others(string text, bool isOutput) =>
        Outputs.Accepts(Outputs.Schema(Person), text).ShouldBe(isOutput);

    [Fact]
    public void Other_properties_come_behind_the_listed_ones_and_bear_other_names()
    {
        var grammar = Outputs.Schema(
            """{"type":"object","properties":{"a":{"type":"null"},"ab":{"type":"null"}}"""
                + ""","required":["a"],"additionalProperties":{"type":"boolean"}}"""
        );

        Outputs.Accepts(grammar, """{"a":null,"ab":null,"abc":true,"":false, "b": true}""").ShouldBeTrue();
        Outputs.Accepts(grammar, """{"a":null,"x":true,"ab":null}""").ShouldBeFalse();
        Outputs.Accepts(grammar, """{"a":null,"a":true}""").ShouldBeFalse();
        Outputs.Accepts(grammar, """{"a":null,"ab":true}""").ShouldBeFalse();
        Outputs.Accepts(grammar, """{"x":true}""").ShouldBeFalse();
    }

    [Theory]
    [InlineData("{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}", "\"äö\"", true)]
    [InlineData("{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}", "\"😀\\n\\\"\"", true)]
    [InlineData("{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}", "\"a\"", false)]
    [InlineData("{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}", "\"abcd\"", false)]
    [InlineData("{\"type\":\"string\",\"maxLength\":0}", "\"\"", true)]
    [InlineData("{\"type\":\"string\",\"pattern\":\"^a*$\",\"minLength\":2,\"maxLength\":4}", "\"aaa\"", true)]
    [InlineData("{\"type\":\"string\",\"pattern\":\"^a*$\",\"minLength\":2,\"maxLength\":4}", "\"aaaaa\"", false)]
    [InlineData("{\"type\":\"string\",\"format\":\"date\"}", "\"2024-02-29\"", true)]
    [InlineData("{\"type\":\"string\",\"format\":\"date\"}", "\"2023-02-29\"", false)]
    [InlineData("{\"type\":\"string\",\"format\":\"date\"}", "\"1900-02-29\"", false)]
    [InlineData("{\"type\":\"string\",\"format\":\"date\"}", "\"2000-02-29\"", true)]
    [InlineData("{\"type\":\"string\",\"format\":\"date\"}", "\"2000-04-31\"", false)]
    [InlineData("{\"type\":\"string\",\"format\":\"date-time\"}", "\"2024-02-29T23:59:59.5+02:00\"", true)]
    [InlineData("{\"type\":\"string\",\"format\":\"date-time\"}", "\"2024-02-29T24:00:00Z\"", false)]
    [InlineData("{\"type\":\"string\",\"format\":\"uuid\"}", "\"6f9619ff-8b86-d011-b42d-00c04fc964FF\"", true)]
    [InlineData("{\"type\":[\"string\",\"null\"]}", "null", true)]
    [InlineData("{\"type\":\"string\",\"nullable\":true}", "null", true)]
    [InlineData("{\"type\":\"string\",\"nullable\":false}", "null", false)]
    [InlineData("{\"enum\":[\"a\",1,{\"x\":[1,\"ü\"]}]}", "{\"x\":[1,\"ü\"]}", true)]
    [InlineData("{\"enum\":[\"a\",1],\"type\":\"string\"}", "1", false)]
    [InlineData("{\"const\":null}", "null", true)]
    [InlineData("{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}", "1.5", true)]
    [InlineData("{\"allOf\":[{\"$ref\":\"#/$defs/a\"}],\"$defs\":{\"a\":{\"const\":1}}}", "1", true)]
    [InlineData("{\"minLength\":1}", "\"a\"", true)]
    [InlineData("{\"minLength\":1}", "1", false)] // valid, but the keywords tell what is meant
    [InlineData("{}", "{\"a\":[1,{\"b\":null}]}", true)]
    [InlineData("true", "[[],{}]", true)]
    [InlineData("{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}],\"items\":false}", "[1,\"a\"]", true)]
    [InlineData("{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}],\"items\":false}", "[1]", true)]
    [InlineData(
        "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}],\"items\":false}",
        "[1,\"a\",2]",
        false
    )]
    [InlineData("{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":2,\"maxItems\":3}", "[null,null]", true)]
    [InlineData("{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":2,\"maxItems\":3}", "[null]", false)]
    [InlineData("{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":2,\"maxItems\":3}", "[null,null,null,null]", false)]
    [InlineData("{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":2}", "[null,null,null,null,null]", true)]
    [InlineData("{\"type\":\"object\",\"required\":[\"x\"]}", "{\"x\":[1]}", true)]
    [InlineData(
        "{\"type\":\"object\",\"properties\":{\"a/b~c\":{\"$ref\":\"#/$defs/p~1q\"}},\"$defs\":{\"p/q\":{\"const\":2}}}",
        "{\"a/b~c\":2}",
        true
    )]
    public void A_keyword_holds_outputs_to_what_it_says(string schema, string text, bool isOutput) =>
        Outputs.Accepts(Outputs.Schema(schema), text).ShouldBe(isOutput);

    [Theory]
    [InlineData("{\"type\":\"object\",\"properties\":{\"a\":{\"not\":{}}}}", "#/properties/a/not", "is not supported")]
    [InlineData("{\"properties\":{\"a/b\":{\"multipleOf\":2}}}", "#/properties/a~1b/multipleOf", "is not supported")]
    [InlineData("{\"type\":\"array\",\"uniqueItems\":true}", "#/uniqueItems", "is not supported")]
    [InlineData("{\"type\":\"strin\"}", "#/type", "must be one of")]
    [InlineData("{\"type\":[]}", "#/type", "must be a list of at least one")]
    [InlineData("{\"requird\":[]}", "#/requird", "is not supported")]
    [InlineData("{\"type\":\"string\",\"format\":\"hostname\"}", "#/format", "no format that is supported")]
    [InlineData("{\"type\":\"string\",\"minLength\":3,\"maxLength\":2}", "#/minLength", "maxLength is 2")]
    [InlineData("{\"type\":\"string\",\"minLength\":-1}", "#/minLength", "whole number")]
    [InlineData("{\"type\":\"array\",\"minItems\":3,\"maxItems\":2}", "#/minItems", "at most 2")]
    [InlineData("{\"type\":\"array\",\"maxItems\":100000}", "#/maxItems", "at most 10000")]
    [InlineData("{\"type\":\"array\",\"items\":[{}]}", "#/items", "prefixItems")]
    [InlineData("{\"$ref\":\"http://example.com/x\"}", "#/$ref", "JSON pointer")]
    [InlineData("{\"$ref\":\"#/$defs/none\"}", "#/$ref", "not there")]
    [InlineData("{\"$ref\":\"#\"}", "#/$ref", "leads back")]
    [InlineData("{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}", "#/anyOf/0/$ref", "leads back")]
    [InlineData("{\"anyOf\":[{\"type\":\"null\"}],\"properties\":{}}", "#/properties", "beside anyOf")]
    [InlineData("{\"allOf\":[{},{}]}", "#/allOf", "several schemas")]
    [InlineData("{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}", "#/oneOf", "branches 0 and 1")]
    [InlineData("{\"enum\":[]}", "#/enum", "at least one")]
    [InlineData("{\"enum\":[1],\"type\":\"string\"}", "#", "no value")]
    [InlineData("{\"enum\":[\"\\u0000\"]}", "#/enum/0", "NUL")]
    [InlineData("false", "#", "no finite value")]
    [InlineData("{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}", "#/properties/a", "no finite value")]
    [InlineData("{\"type\":\"object\",\"required\":[\"a\"],\"additionalProperties\":false}", "#/required", "'a'")]
    [InlineData("{\"type\":\"object\",\"properties\":[]}", "#/properties", "must be an object")]
    [InlineData("[]", "#", "must be a schema")]
    [InlineData("{", "#", "no JSON")]
    public void What_is_not_supported_is_refused_where_it_stands(string schema, string place, string reason)
    {
        var refusal = Should.Throw<GrammarException>(() => Outputs.Schema(schema));

        refusal.Place.ShouldBe(place);
        refusal.Message.ShouldContain(reason);
    }

    [Theory]
    [InlineData("{\"const\":\"a\"},{\"const\":\"b\"}", true)]
    [InlineData("{\"enum\":[1,2]},{\"enum\":[2.0,3]}", false)]
    [InlineData("{\"type\":\"string\",\"pattern\":\"^a\"},{\"type\":\"string\",\"pattern\":\"^b\"}", true)]
    [InlineData("{\"type\":\"string\",\"pattern\":\"a\"},{\"type\":\"string\",\"pattern\":\"b\"}", false)]
    [InlineData("{\"type\":\"integer\",\"maximum\":3},{\"type\":\"number\",\"exclusiveMinimum\":3}", true)]
    [InlineData("{\"type\":\"array\"},{\"type\":\"array\"}", false)]
    [InlineData("{\"type\":\"string\"},{\"minLength\":3}", false)]
    [InlineData(
        "{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"a\"]},{\"type\":\"object\","
            + "\"properties\":{\"b\":{}},\"required\":[\"b\"]}",
        true
    )]
    [InlineData("{\"type\":\"object\",\"properties\":{\"a\":{}}},{\"type\":\"object\",\"properties\":{\"b\":{}}}", false)]
    [InlineData("{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/b\"}", true)]
    public void Branches_of_oneOf_must_be_distinguishable(string branches, bool areApart)
    {
        const string definitions = """
            {
              "a":{"type":"object","properties":{"k":{"const":"a"},"v":{"type":"string"}},"required":["k"]},
              "b":{"type":"object","properties":{"k":{"const":"b"},"v":{"type":"string"}},"required":["k"]}
            }
            """;
        var schema = $"{{\"oneOf\":[{branches}],\"$defs\":{definitions}}}";
        if (areApart)
        {
            Outputs.Schema(schema);
        }
        else
        {
            Should.Throw<GrammarException>(() => Outputs.Schema(schema)).Place.ShouldBe("#/oneOf");
        }
    }

    [Fact]
    public void Recursion_nests_as_deep_as_readers_read_and_no_deeper()
    {
        var grammar = Outputs.Schema("""{"type":"array","items":{"$ref":"#"}}""");

        Outputs.Accepts(grammar, new string('[', 64) + new string(']', 64)).ShouldBeTrue();
        Outputs.Accepts(grammar, new string('[', 65) + new string(']', 65)).ShouldBeFalse();
    }

    [Fact]
    public void Where_the_last_level_can_not_end_it_is_not_begun()
    {
        // Each node needs two levels: the last that may be nested is at 62.
        var grammar = Outputs.Schema(
            """{"type":"object","properties":{"leaf":{"type":"object"},"next":{"$ref":"#"}},"required":["leaf"]}"""
        );

        for (var depth = 60; depth < 66; depth++)
        {
            var text = string.Concat(Enumerable.Repeat("{\"leaf\":{},\"next\":", depth)) + "{\"leaf\":{}}" + new string('}', depth);
            Outputs.Accepts(grammar, text).ShouldBe(depth <= 62, $"{depth}");
        }
    }

    [Fact]
    public void Json_objects_are_any_object_and_nothing_else()
    {
        var grammar = Grammar.Compile(new GrammarDefinition(GrammarKind.JsonObject, ""));

        Outputs.Accepts(grammar, """{"a": [1, {"b": "x\n"}], "c":null,"d":-1.5e3}""").ShouldBeTrue();
        Outputs.Accepts(grammar, "{}").ShouldBeTrue();
        Outputs.Accepts(grammar, "[]").ShouldBeFalse();
        Outputs.Accepts(grammar, "{\"a\":}").ShouldBeFalse();
    }

    [Theory]
    [InlineData("[\"yes\",\"no\",\"yes, but\"]", "yes", true)]
    [InlineData("[\"yes\",\"no\",\"yes, but\"]", "yes, but", true)]
    [InlineData("[\"yes\",\"no\",\"yes, but\"]", "yes,", false)]
    [InlineData("[\"yes\",\"no\",\"yes, but\"]", "\"yes\"", false)]
    [InlineData("[\"\\u00e4\"]", "ä", true)]
    public void A_choice_is_one_of_its_texts(string choices, string text, bool isOutput) =>
        Outputs.Accepts(Grammar.Compile(new GrammarDefinition(GrammarKind.Choice, choices)), text).ShouldBe(isOutput);

    [Theory]
    [InlineData("[]")]
    [InlineData("[\"\"]")]
    [InlineData("[1]")]
    [InlineData("{}")]
    public void A_choice_of_nothing_is_refused(string choices) =>
        Should.Throw<GrammarException>(() => Grammar.Compile(new GrammarDefinition(GrammarKind.Choice, choices)));

    [Fact]
    public void A_schema_that_is_too_large_is_refused_before_it_takes_the_machine()
    {
        var properties = string.Join(",", Enumerable.Range(0, 2000).Select(i => $"\"property number {i}\":{{\"type\":\"string\"}}"));

        Should
            .Throw<GrammarException>(() => Outputs.Schema($"{{\"type\":\"object\",\"properties\":{{{properties}}}}}"))
            .Message.ShouldContain("too large");
        Should.Throw<GrammarException>(() => Outputs.Schema($"\"{new string('x', 300_000)}\"")).Message.ShouldContain("characters");
    }

    [Fact]
    public void A_schema_of_a_hundred_properties_is_not_too_large()
    {
        var properties = string.Join(
            ",",
            Enumerable.Range(0, 100).Select(i => $"\"p{i}\":{{\"type\":[\"string\",\"null\"],\"maxLength\":500}}")
        );

        Outputs
            .Accepts(Outputs.Schema($"{{\"type\":\"object\",\"properties\":{{{properties}}}}}"), "{\"p7\":null,\"p99\":\"x\"}")
            .ShouldBeTrue();
    }
}
