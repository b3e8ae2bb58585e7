using System.Text.Json;

namespace Dsde.Contracts.Tests;

/// <summary>A whole number is one however it is written, and nothing else is one because it is near.</summary>
public sealed class WholeNumbersTests
{
    private const string TooLarge = "a whole number from -9223372036854775808 to 9223372036854775807";
    private static readonly JsonSerializerOptions Json = new() { Converters = { new WholeNumbers.LongConverter() } };

    [Theory]
    [InlineData("12", 12)]
    [InlineData("12.0", 12)]
    [InlineData("1.2e1", 12)]
    [InlineData("1200E-2", 12)]
    [InlineData("-0.0012e+4", -12)]
    [InlineData("0e-400", 0)]
    [InlineData("-0", 0)]
    [InlineData("1.0000000000000000000000000000000000000000e3", 1000)]
    [InlineData("9223372036854775807.0", long.MaxValue)]
    [InlineData("-9.223372036854775808e18", long.MinValue)]
    [InlineData("0.0000000000000000000000000000000000000000000000001e49", 1)]
    public void However_a_whole_number_is_written_it_is_the_same(string text, long expected)
    {
        WholeNumbers.TryRead(Parse(text), out var number).ShouldBeTrue();

        number.ShouldBe(expected);
        JsonSerializer.Deserialize<long>(text, Json).ShouldBe(expected);
    }

    [Theory]
    [InlineData("1.5", "a whole number")]
    [InlineData("1e-1", "a whole number")]
    [InlineData("1e-400", "a whole number")]
    [InlineData("-1e-99999999999", "a whole number")]
    [InlineData("1.0000000000000000000000000000000000000001", "a whole number")]
    [InlineData("9223372036854775808", TooLarge)]
    [InlineData("-9.223372036854775809e18", TooLarge)]
    [InlineData("1e19", TooLarge)]
    [InlineData("1e400", TooLarge)]
    [InlineData("1e99999999999", TooLarge)]
    public void What_is_near_a_whole_number_or_too_large_is_none(string text, string expected)
    {
        WholeNumbers.TryRead(Parse(text), out _).ShouldBeFalse();
        FieldForm.Long.FindMistake("seed", Parse(text)).ShouldNotBeNull().ShouldStartWith($"seed must be {expected}, but is ");

        Should.Throw<JsonException>(() => JsonSerializer.Deserialize<long>(text, Json));
    }

    private static JsonElement Parse(string text) => JsonSerializer.Deserialize<JsonElement>(text);
}
