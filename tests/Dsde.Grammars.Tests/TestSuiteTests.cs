using System.Text.Json;
using Dsde.Grammars.Schemas;
using Dsde.Testing;

namespace Dsde.Grammars.Tests;

/// <summary>The JSON-Schema-Test-Suite's cases of draft 2020-12.</summary>
public sealed class TestSuiteTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Vectors", "json-schema-test-suite");

    public static TheoryData<string> Files => [.. Directory.GetFiles(Folder, "*.json").Select(path => Path.GetFileName(path)!)];

    [Theory]
    [MemberData(nameof(Files))]
    public void What_the_suite_calls_invalid_is_no_output_and_what_is_written_is_valid(string file)
    {
        foreach (var (schema, grammar, tests) in Read(file))
        {
            if (grammar is null)
            {
                continue;
            }

            foreach (var test in tests.Where(test => !test.IsValid))
            {
                Outputs.Accepts(grammar, LiteralValues.Write(test.Data)).ShouldBeFalse($"{test.Name}: {test.Data} by {schema}");
            }

            var writer = new RandomWriter(7);
            for (var i = 0; i < 10; i++)
            {
                if (writer.Write(grammar, isStubborn: false) is { } output)
                {
                    Validator.FindMistake(schema, output).ShouldBeNull($"{output} by {schema}");
                }
            }
        }
    }

    /// <summary>Refusing everything would be right as well: this much is not refused.</summary>
    [Fact]
    public void So_many_of_the_suites_schemas_are_supported_and_so_many_of_its_valid_values_are_outputs()
    {
        var all = Files.SelectMany(file => Read(file.Data)).ToList();
        var supported = all.Where(group => group.Grammar is not null).ToList();
        var valid = supported
            .SelectMany(group => group.Tests.Where(test => test.IsValid).Select(test => (group.Grammar, test.Data)))
            .ToList();
        var outputs = valid.Count(test => Outputs.Accepts(test.Grammar!, LiteralValues.Write(test.Data)));

        (all.Count, supported.Count, valid.Count, outputs).ShouldBe((197, 122, 311, 230));
    }

    private static IEnumerable<(string Schema, Grammar? Grammar, List<(string Name, JsonElement Data, bool IsValid)> Tests)> Read(
        string file
    )
    {
        var groups = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Path.Combine(Folder, file)));
        foreach (var group in groups.EnumerateArray())
        {
            var schema = group.GetProperty("schema").GetRawText();
            var tests = group
                .GetProperty("tests")
                .EnumerateArray()
                .Select(test =>
                    (test.GetProperty("description").GetString()!, test.GetProperty("data"), test.GetProperty("valid").GetBoolean())
                )
                .Where(test => IsWritable(test.Item2))
                .ToList();
            yield return (schema, TryCompile(schema), tests);
        }
    }

    private static bool IsWritable(JsonElement value)
    {
        try
        {
            LiteralValues.Write(value);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static Grammar? TryCompile(string schema)
    {
        try
        {
            return Outputs.Schema(schema);
        }
        catch (GrammarException refusal)
        {
            refusal.Place.ShouldStartWith("#");
            return null;
        }
    }
}
