using Dsde.Speculation;

namespace Dsde.Speculation.Tests;

public class PolicyConfigurationTests
{
    [Theory]
    [InlineData("static:4")]
    [InlineData("autoregressive")]
    [InlineData("dsde")]
    [InlineData("dsde-nocap")]
    [InlineData("dsde-onpath")]
    [InlineData("dsde-reference")]
    [InlineData("goodput")]
    [InlineData("adaedl")]
    [InlineData("adaedl:5")]
    [InlineData("adaedl-batchstop:12")]
    [InlineData("dsde-reference-nocap-onpath")]
    public void Parse_Known_Policy_Reads_Back_Its_Own_Form(string text) => PolicyConfiguration.Parse(text).ToString().ShouldBe(text);

    [Theory]
    [InlineData("static:0")]
    [InlineData("static:65")]
    [InlineData("fast")]
    [InlineData("dsdex")]
    [InlineData("adaedl:0")]
    [InlineData("adaedl:5-batchstop")]
    [InlineData("dsde-nocap-reference")]
    public void Parse_Unknown_Policy_Names_It_And_What_Is_Allowed(string text)
    {
        var error = Should.Throw<FormatException>(() => PolicyConfiguration.Parse(text));
        error.Message.ShouldContain(text);
        error.Message.ShouldContain("static:K");
    }
}
