using Dsde.Contracts;
using Shouldly;

namespace Dsde.Contracts.Tests;

public sealed class NearestNameTests
{
    private static readonly string[] Known = ["maxTokens", "temperature", "topP", "topK", "deadlineUtc", "seed"];

    [Theory]
    [InlineData("max_tokens", "maxTokens")]
    [InlineData("MAXTOKENS", "maxTokens")]
    [InlineData("maxTokesn", "maxTokens")]
    [InlineData("temprature", "temperature")]
    [InlineData("sed", "seed")]
    [InlineData("topO", "topP")]
    public void A_misspelt_name_finds_the_one_that_was_meant(string given, string meant) => NearestName.Find(given, Known).ShouldBe(meant);

    [Theory]
    [InlineData("colour")]
    [InlineData("t")]
    [InlineData("")]
    public void A_name_that_resembles_none_finds_none(string given) => NearestName.Find(given, Known).ShouldBeNull();
}
