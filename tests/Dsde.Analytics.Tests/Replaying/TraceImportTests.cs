using Dsde.Analytics.Replaying;
using Dsde.Speculation;
using Dsde.Testing;

namespace Dsde.Analytics.Tests.Replaying;

public sealed class TraceImportTests : IDisposable
{
    private readonly ScratchFolder _folder = new("import");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_bit_per_token_is_enough_to_count_and_prices_to_time()
    {
        var bits = await ReadAsync("""{"id": "a", "accepted": [1, 1, 1, 0, 1, 1, null, 1, 1, 1]}""", "");

        var result = new Replay(bits.Sources, 10).Run(PolicyConfiguration.Parse("static:2"));

        (result.Counts.Iterations, result.Counts.Proposed, result.Counts.Accepted).ShouldBe((3, 6, 6));
        result.UnknownPositions.ShouldBeEmpty("token 6 is the target's own in the second iteration");
        result.Counts.Milliseconds.ShouldBeNull();
        bits.Measured.ShouldBeNull();
    }

    [Fact]
    public async Task Without_bits_beta_is_the_chance()
    {
        var set = await ReadAsync([.. Enumerable.Repeat("""{"beta": [null, 0.5, 0.5, 0.5, 0.5, 0.5]}""", 100)]);

        var result = new Replay(set.Sources, 10).Run(PolicyConfiguration.Parse("static:1"));

        result.Counts.AcceptanceRate.ShouldNotBeNull().ShouldBe(0.5, 0.05);
        result.ExactOutputs.ShouldBe(0);
    }

    [Theory]
    [InlineData("""{"id": "a"}""", "line 2: it has neither accepted nor beta")]
    [InlineData("""{"accepted": [1, 2]}""", "line 2: token 1 has the value 2")]
    [InlineData("""{"accepted": [1, 1], "kld": [0.1]}""", "line 2: kld has 1 values, but there are 2 tokens")]
    [InlineData("""{"bits": [1]}""", "line 2:")]
    [InlineData("1, 1, 0", "line 2:")]
    [InlineData("null", "line 2: it is null")]
    public async Task A_line_that_is_none_is_told_with_its_number(string line, string expected)
    {
        var read = () => ReadAsync("""{"accepted": [1, 1]}""", line);

        (await read.ShouldThrowAsync<AnalyticsException>()).Message.ShouldContain(expected);
    }

    [Fact]
    public async Task A_file_without_lines_is_refused_with_an_example()
    {
        var read = () => ReadAsync("", " ");

        (await read.ShouldThrowAsync<AnalyticsException>()).Message.ShouldContain("has no line. Give JSON lines such as {\"id\"");
    }

    private Task<ReplaySet> ReadAsync(params string[] lines)
    {
        var file = _folder.Write("traces.jsonl", lines);
        return TraceImport.ReadAsync(file, new ReplaySettings(), TestContext.Current.CancellationToken);
    }
}
