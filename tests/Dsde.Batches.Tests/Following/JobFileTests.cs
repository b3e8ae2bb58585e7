using Dsde.Batches.Files;
using Dsde.Batches.Following;
using Dsde.Batches.Tests.Files;
using Dsde.Testing;

namespace Dsde.Batches.Tests.Following;

public sealed class JobFileTests : IDisposable
{
    private readonly ScratchFolder _folder = new("file");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Jobs_and_bad_lines_are_counted_apart()
    {
        using var file = await OpenAsync(Job("a"), "not JSON", Job("b"));

        (await file.CountAsync(TestContext.Current.CancellationToken)).ShouldBe(new JobFileCount(2, 1, "demo"));
    }

    [Fact]
    public async Task The_limit_counts_jobs_and_reading_ends_before_the_next_one()
    {
        using var whole = await OpenAsync("not JSON", Job("a"), Job("b"), "not JSON", Job("c"));
        var file = whole with { Limit = 2 };

        (await file.CountAsync(TestContext.Current.CancellationToken)).ShouldBe(new JobFileCount(2, 2, "demo"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n \n\n")]
    public async Task A_file_of_nothing_has_no_jobs(string content)
    {
        using var file = await OpenAsync(content);
        var failure = await file.CountAsync(TestContext.Current.CancellationToken).ShouldThrowAsync<JobFileException>();

        failure.Message.ShouldContain("it has no jobs");
    }

    private Task<JobFile> OpenAsync(params string[] lines)
    {
        var path = _folder.PathOf("jobs.jsonl");
        File.WriteAllText(path, string.Join('\n', lines));
        return JobFile.OpenAsync(path, null, new BatchDefaults { BatchId = Guid.NewGuid() }, TestContext.Current.CancellationToken);
    }

    private static string Job(string customId) => JobLines.Completion(customId: customId);
}
