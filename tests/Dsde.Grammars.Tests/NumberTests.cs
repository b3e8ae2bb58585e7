using System.Globalization;

namespace Dsde.Grammars.Tests;

public sealed class NumberTests
{
    [Fact]
    public void Whole_numbers_between_bounds_are_all_there_and_no_others()
    {
        var random = new Random(3);
        for (var i = 0; i < 60; i++)
        {
            var (one, other) = (random.Next(-1100, 1100), random.Next(-1100, 1100));
            var (least, most) = (Math.Min(one, other), Math.Max(one, other));
            var (below, above) = (random.Next(2) == 0, random.Next(2) == 0);
            if (most - least < 2)
            {
                continue;
            }

            var grammar = Outputs.Schema(
                $$"""{"type":"integer","{{(above ? "exclusiveMinimum" : "minimum")}}":{{least}}"""
                    + $$""","{{(below ? "exclusiveMaximum" : "maximum")}}":{{most}}}"""
            );

            foreach (
                var value in Enumerable
                    .Range(0, 60)
                    .Select(_ => random.Next(-1300, 1300))
                    .Concat([least - 1, least, least + 1, most - 1, most, most + 1, 0])
            )
            {
                var isWithin = (above ? value > least : value >= least) && (below ? value < most : value <= most);
                Outputs.Accepts(grammar, value.ToString(CultureInfo.InvariantCulture)).ShouldBe(isWithin, $"{value} in {least}..{most}");
            }
        }
    }

    [Theory]
    [InlineData("\"minimum\":1.5,\"maximum\":2", "1.5 1.50 1.51 1.9999 2 2.0 2.00", "1.4 1.49999 1 2.1 2.001 3 15 -1.5 1. .5 01.5 1.5e0")]
    [InlineData("\"exclusiveMinimum\":1.5,\"exclusiveMaximum\":2", "1.51 1.500001 1.99", "1.5 1.50 2 2.0 1.4")]
    [InlineData("\"minimum\":-0.25", "-0.25 -0.2 0 0.0 7 123456789 -0.249", "-0.26 -1 -0 -0.0 -0.251")]
    [InlineData("\"maximum\":-10", "-10 -10.0 -10.5 -11 -999", "-9.99 0 10 -1 -9")]
    [InlineData("\"minimum\":0,\"maximum\":1", "0 1 0.5 1.0 0.0", "1.01 -0.1 2 10")]
    [InlineData("\"minimum\":1e2,\"maximum\":1.5E2", "100 150 149.9", "99 151 1e2")]
    [InlineData("\"minimum\":-1e20", "-5 5 -999999999999999999", "--5")]
    public void Numbers_between_bounds_are_written_without_exponents(string bounds, string within, string outside)
    {
        var grammar = Outputs.Schema($$"""{"type":"number",{{bounds}}}""");

        within.Split(' ').ShouldAllBe(number => Outputs.Accepts(grammar, number));
        outside.Split(' ').ShouldAllBe(number => !Outputs.Accepts(grammar, number));
    }

    [Theory]
    [InlineData("{\"type\":\"integer\",\"minimum\":1.2,\"maximum\":1.8}")]
    [InlineData("{\"type\":\"number\",\"exclusiveMinimum\":1,\"maximum\":1}")]
    [InlineData("{\"type\":\"integer\",\"minimum\":1e20}")]
    [InlineData("{\"type\":\"integer\",\"minimum\":1e40}")]
    [InlineData("{\"type\":\"integer\",\"exclusiveMinimum\":true,\"minimum\":3}")]
    public void Bounds_without_a_number_between_them_are_refused(string schema) =>
        Should.Throw<GrammarException>(() => Outputs.Schema(schema)).Place.ShouldStartWith("#");

    [Fact]
    public void Numbers_without_bounds_are_those_that_every_reader_can_hold()
    {
        var (number, whole) = (Outputs.Schema("{\"type\":\"number\"}"), Outputs.Schema("{\"type\":\"integer\"}"));

        "0 -0 1 -1.5 0.1 1e5 1.5E-3 2e+10 123456789012345678".Split(' ').ShouldAllBe(text => Outputs.Accepts(number, text));
        "01 1. .1 +1 1e 1e999 1234567890123456789 NaN 1e5.0".Split(' ').ShouldAllBe(text => !Outputs.Accepts(number, text));
        "0 -1 999999999999999999".Split(' ').ShouldAllBe(text => Outputs.Accepts(whole, text));
        "-0 1.0 1e5 00".Split(' ').ShouldAllBe(text => !Outputs.Accepts(whole, text));
    }
}
