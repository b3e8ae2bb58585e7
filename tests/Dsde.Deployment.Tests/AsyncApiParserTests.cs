using Dsde.Testing;

namespace Dsde.Deployment.Tests;

/// <summary>docs/asyncapi.yaml as AsyncAPI's own parser reads it; that it says what the records are, the contracts' tests hold.</summary>
public sealed class AsyncApiParserTests
{
    private static readonly string Document = Repository.PathOf("docs", "asyncapi.yaml");

    [Fact]
    public async Task The_parser_finds_nothing_to_say_against_the_document()
    {
        var ended = await ValidateAsync(Document);

        ended.ExitCode.ShouldBe(0, ended.Output + ended.Error);
        ended.Output.ShouldBe("");
    }

    [Theory]
    [InlineData("asyncapi: 3.0.0\n", "asyncapi: 3.0.0\nunknown: 1\n", "unknown")]
    [InlineData("$ref: '#/components/messages/SubmitGenerationJob'", "$ref: '#/components/messages/NoSuchJob'", "NoSuchJob")]
    [InlineData("action: receive", "action: devour", "action")]
    [InlineData("type: integer", "type: whole", "type")]
    public async Task A_mistake_in_the_document_is_a_line_with_its_place(string right, string wrong, string named)
    {
        using var folder = new ScratchFolder();
        var file = folder.PathOf("asyncapi.yaml");
        var text = await File.ReadAllTextAsync(Document, TestContext.Current.CancellationToken);
        text.ShouldContain(right);
        await File.WriteAllTextAsync(file, text.Replace(right, wrong, StringComparison.Ordinal), TestContext.Current.CancellationToken);

        var ended = await ValidateAsync(file);

        ended.ExitCode.ShouldBe(1, ended.Output + ended.Error);
        ended.Output.ShouldMatch($@"(?m)^{file}:\d+: .*{named}");
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_named()
    {
        var ended = await ValidateAsync("no/such.yaml");

        ended.ExitCode.ShouldBe(2);
        ended.Error.ShouldStartWith("validate-asyncapi.sh: no/such.yaml can't be read");
    }

    [Fact]
    public async Task Without_the_registry_it_is_said_what_could_not_be_fetched_from_where()
    {
        using var folder = new ScratchFolder();
        var copied = await Command.RunAsync([
            "bash",
            "-c",
            $"cp --parents eng/validate-asyncapi.sh eng/npm-packages.sh eng/asyncapi/* '{folder.Path}'",
        ]);
        copied.ExitCode.ShouldBe(0, copied.Error);

        var ended = await Command.RunAsync(
            [folder.PathOf("eng/validate-asyncapi.sh"), Document],
            environment: [("npm_config_registry", "http://127.0.0.1:1"), ("npm_config_cache", folder.PathOf("cache"))]
        );

        ended.ExitCode.ShouldBe(2);
        var line = ended.Error.TrimEnd().Split('\n').ShouldHaveSingleItem();
        line.ShouldStartWith("npm-packages.sh: the packages of eng/asyncapi could not be fetched");
        line.ShouldContain("http://127.0.0.1:1");
        line.ShouldContain("ECONNREFUSED");
    }

    private static Task<Ended> ValidateAsync(string file) => Command.RunAsync([Repository.PathOf("eng", "validate-asyncapi.sh"), file]);
}
