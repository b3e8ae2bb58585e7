using Dsde.Engine.Tokenization;

namespace Dsde.Engine.Tests.Tokenization;

public sealed class WordSplitterTests
{
    [Fact]
    public void A_pattern_that_backtracks_without_end_is_an_error_that_says_so()
    {
        var splitter = new WordSplitter([@"^(\w+\s?)+$"], TimeSpan.FromMilliseconds(50));

        splitter.PreTokenize("aaaa").ShouldBe([(0, 4)]);
        var failure = Should.Throw<ArgumentException>(() => splitter.PreTokenize(new string('a', 60) + "!").ToList());

        failure.Message.ShouldContain("backtracks for more than 0.05 s");
    }
}
