using System.Text.Json;

namespace Dsde.Templates.Tests;

public sealed class TemplateTests
{
    [Theory]
    [InlineData("{{ '<a>' + x }}")]
    [InlineData("{{ '<a>' ~ x|trim }}")]
    [InlineData("{{ ['<a>', x]|join }}")]
    [InlineData("{% set y %}<a>{{ x.strip() }}{% endset %}{{ y[0:] }}")]
    [InlineData("{% macro m(v) %}<a>{{ v.split('|')[0] }}{% endmacro %}{{ m(x) }}")]
    public void What_comes_from_data_is_told_from_what_the_template_wrote(string source)
    {
        var text = Render(source, "<a>");

        text.Value.ShouldBe("<a><a>");
        text.IsFromTemplate(0, 3).ShouldBeTrue();
        text.IsFromTemplate(3, 3).ShouldBeFalse();
        text.IsFromTemplate(1, 3).ShouldBeFalse();
    }

    [Theory]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "MaxSteps")]
    [InlineData("{{ 'x' * 999999999 }}", "MaxTextLength")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "MaxDepth")]
    public void A_template_that_runs_away_ends_with_the_limits_name(string source, string limit) =>
        Should.Throw<TemplateException>(() => Render(source, "")).Message.ShouldContain(limit);

    [Fact]
    public void A_mistake_names_the_line()
    {
        Should.Throw<TemplateException>(() => Template.Parse("a\n{% if %}")).Line.ShouldBe(2);
        Should.Throw<TemplateException>(() => Render("a\n\n{{ nothing.at_all }}", "")).Line.ShouldBe(3);
        Should.Throw<TemplateException>(() => Render("{{ raise_exception('no') }}", "")).IsRaisedByTemplate.ShouldBeTrue();
    }

    private static RenderedText Render(string source, string x) =>
        Template
            .Parse(source)
            .Render(
                new Dictionary<string, TemplateValue> { ["x"] = TemplateValue.FromData(JsonSerializer.SerializeToElement(x)) },
                TimeProvider.System
            );
}
