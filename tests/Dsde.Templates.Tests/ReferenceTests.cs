using System.Text.Json;
using Dsde.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Dsde.Templates.Tests;

/// <summary>
/// Templates make what the reference makes of them, or both refuse. The known answers are jinja2's, with transformers' options:
/// <c>Vectors/make.py</c> writes them.
/// </summary>
public sealed class ReferenceTests
{
    private static readonly FakeTimeProvider Time = new(new DateTimeOffset(2026, 3, 5, 14, 7, 9, TimeSpan.Zero));
    private static readonly JsonElement Shapes = Read("shapes.json");

    public static TheoryData<string> Names => [.. Shapes.EnumerateObject().Select(shape => shape.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_familys_shape_makes_the_references_text_or_refuses_as_it_does(string shape)
    {
        var source = Shape(shape);

        foreach (var given in Shapes.GetProperty(shape).EnumerateArray())
        {
            Render(source, given.GetProperty("variables")).ShouldBe(given.GetProperty("text").GetString(), given.GetRawText());
        }
    }

    [Fact]
    public void Generated_templates_make_the_references_text_or_refuse_as_it_does()
    {
        var file = Read(Environment.GetEnvironmentVariable("DSDE_TEMPLATE_CASES") ?? "generated.json");
        var different = new List<string>();
        foreach (var given in file.GetProperty("cases").EnumerateArray())
        {
            var source = given.GetProperty("template").GetString() ?? "";
            var variables = given.TryGetProperty("variables", out var own) ? own : file.GetProperty("variables");
            var (expected, actual) = (given.GetProperty("text").GetString(), Render(source, variables));
            if (expected != actual)
            {
                different.Add($"{source}\n  expected {expected ?? "a refusal"}\n  but was  {actual ?? "a refusal"}");
            }
        }

        different.ShouldBeEmpty(string.Join('\n', different.Take(100).Prepend($"{different.Count} differ")));
    }

    /// <summary>A shape's template.</summary>
    internal static string Shape(string name) =>
        File.ReadAllText(Repository.PathOf("tests", "Dsde.Templates.Tests", "Vectors", "shapes", $"{name}.jinja"));

    private static JsonElement Read(string name) =>
        JsonDocument.Parse(File.ReadAllText(Repository.PathOf("tests", "Dsde.Templates.Tests", "Vectors", name))).RootElement;

    /// <summary>The text; null for a refusal.</summary>
    private static string? Render(string source, JsonElement variables)
    {
        try
        {
            var given = variables.EnumerateObject().ToDictionary(one => one.Name, one => TemplateValue.FromData(one.Value));
            return Template.Parse(source).Render(given, Time).Value;
        }
        catch (TemplateException)
        {
            return null;
        }
    }
}
