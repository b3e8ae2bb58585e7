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
        (await Open(Job("a"), "not JSON", Job("b")).CountAsync(TestContext.Current.CancellationToken)).ShouldBe((2, 1));
    }

    [Fact]
    public async Task The_limit_counts_jobs_and_reading_ends_before_the_next_one()
    {
        var file = Open("not JSON", Job("a"), Job("b"), "not JSON", Job("c")) with { Limit = 2 };

        (await file.CountAsync(TestContext.Current.CancellationToken)).ShouldBe((2, 2));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n \n\n")]
    public async Task A_file_of_nothing_has_no_jobs(string content)
    {
        var failure = await Open(content).CountAsync(TestContext.Current.CancellationToken).ShouldThrowAsync<JobFileException>();

        failure.Message.ShouldContain("it has no jobs");
    }

    private JobFile Open(params string[] lines)
    {
        var path = _folder.PathOf("jobs.jsonl");
        File.WriteAllText(path, string.Join('\n', lines));
        return new JobFile(path, null, new BatchDefaults { BatchId = Guid.NewGuid() });
    }

    private static string Job(string customId) => JobLines.Completion(customId: customId);
}
