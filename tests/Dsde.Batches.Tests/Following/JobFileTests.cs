using System.Diagnostics;
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

    [Theory]
    [InlineData(""" "temperature":9 """, "gpt-3")]
    [InlineData(""" "temperature":9 """, "dem")]
    [InlineData(""" "unknown":9 """, "gpt-3")]
    public async Task The_model_that_a_bad_line_names_counts_as_well(string mistake, string other)
    {
        (await CountAsync($"\"{other}\"")).ShouldBe(new JobFileCount(1, 1, null));
        (await CountAsync("\"demo\"")).ShouldBe(new JobFileCount(1, 1, "demo"));

        async Task<JobFileCount> CountAsync(string model)
        {
            using var file = await OpenAsync(Job("a"), Job("b").Replace("\"demo\"", $"{model},{mistake}", StringComparison.Ordinal));
            return await file.CountAsync(TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Waiting_for_a_pipe_that_nobody_writes_to_can_be_given_up(bool isOpen)
    {
        var pipe = _folder.PathOf("pipe");
        using (var maker = Process.Start("mkfifo", [pipe]))
        {
            await maker.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await using var writer = isOpen ? new FileStream(pipe, FileMode.Open, FileAccess.ReadWrite) : null;
        using var giveUp = new CancellationTokenSource();
        var opening = Task.Run(
            () => JobFile.OpenAsync(pipe, null, new BatchDefaults { BatchId = Guid.NewGuid() }, giveUp.Token),
            TestContext.Current.CancellationToken
        );
        await giveUp.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() =>
            opening.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken)
        );
        await using var end = new FileStream(pipe, FileMode.Open, FileAccess.ReadWrite); // lets go of the thread that waits
    }

    private Task<JobFile> OpenAsync(params string[] lines)
    {
        var path = _folder.PathOf("jobs.jsonl");
        File.WriteAllText(path, string.Join('\n', lines));
        return JobFile.OpenAsync(path, null, new BatchDefaults { BatchId = Guid.NewGuid() }, TestContext.Current.CancellationToken);
    }

    private static string Job(string customId) => JobLines.Completion(customId: customId);
}
