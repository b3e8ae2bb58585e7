using Dsde.Experiments;

namespace Dsde.Benchmarks.Tests.Experiments;

/// <summary>Tables go into a page that people write.</summary>
public sealed class GeneratedPartsTests
{
    private const string Page = "before\n<!-- one -->\n\nold\n\n<!-- /one -->\nbetween\n<!-- two --><!-- /two -->\nafter\n";

    [Fact]
    public void What_stands_between_the_marks_is_made_anew_and_nothing_else()
    {
        var parts = new Dictionary<string, string> { ["two"] = "2", ["one"] = "1" };

        var page = GeneratedParts.Replace(Page, parts);

        page.ShouldBe("before\n<!-- one -->\n\n1\n\n<!-- /one -->\nbetween\n<!-- two -->\n\n2\n\n<!-- /two -->\nafter\n");
        GeneratedParts.Replace(page, parts).ShouldBe(page);
    }

    [Fact]
    public void A_part_without_its_place_is_named() =>
        Should
            .Throw<FormatException>(() => GeneratedParts.Replace(Page, new Dictionary<string, string> { ["three"] = "3" }))
            .Message.ShouldContain("<!-- three -->");
}
