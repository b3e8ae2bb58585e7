namespace Dsde.Contracts.Tests;

public sealed class ModelAliasTests
{
    [Theory]
    [InlineData("dsde-demo")]
    [InlineData("Qwen2.5-0.5B-Instruct")]
    [InlineData("llama3:8b")]
    [InlineData("7_b")]
    public void Common_names_of_models_are_aliases(string name) => ModelAlias.IsValid(name).ShouldBeTrue();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a model")]
    [InlineData("meta-llama/Llama-3.1-8B")]
    [InlineData("modèle")]
    [InlineData(".hidden")]
    [InlineData("-option")]
    [InlineData("a\n")]
    [InlineData("small.high")]
    [InlineData("small.resumed")]
    [InlineData("dsde-generation-jobs-parked")]
    public void What_no_queue_can_be_called_or_would_be_another_models_queue_is_none(string? name) =>
        ModelAlias.IsValid(name).ShouldBeFalse();

    [Fact]
    public void An_alias_has_a_longest_length()
    {
        ModelAlias.IsValid(new string('a', ModelAlias.MaxLength)).ShouldBeTrue();
        ModelAlias.IsValid(new string('a', ModelAlias.MaxLength + 1)).ShouldBeFalse();
        QueueNames.Queue(new string('a', ModelAlias.MaxLength) + QueueNames.ResumedSuffix).Length.ShouldBeLessThan(256);
    }
}
