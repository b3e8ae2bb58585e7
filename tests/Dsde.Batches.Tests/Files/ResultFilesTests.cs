using System.Text.Json;
using Dsde.Batches.Files;
using Dsde.Batches.Files.Results;
using Dsde.Contracts;
using Dsde.Testing;

namespace Dsde.Batches.Tests.Files;

public sealed class ResultFilesTests : IDisposable
{
    private static readonly BatchDefaults Exact = new() { BatchId = JobLines.BatchId };
    private static readonly BatchDefaults Forgotten = Exact with { AreForgotten = true };

    private readonly ScratchFolder _folder = new("results");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Results_whose_text_is_not_stored_are_counted_and_explained()
    {
        var jobs = await KnownAsync(Exact, _ => null, JobLines.Completion(customId: "a"));

        var written = await WriteAsync(jobs, Exact, JobLines.Completion(customId: "a"));

        written.ResultCount.ShouldBe(1);
        written.MissingTexts.ShouldNotBeNull().ShouldContain("1 of the results have no text");
    }

    [Fact]
    public async Task A_file_without_its_first_line_or_in_another_order_gives_every_line_its_own_output()
    {
        string[] lines = [.. new[] { "a", "b", "c" }.Select(id => JobLines.Completion(customId: id))];
        var jobs = await KnownAsync(Exact, customId => $"of {customId}", lines);

        var written = await WriteAsync(jobs, Forgotten, lines[2], lines[1]);

        written.MismatchCount.ShouldBe(0);
        Read(ResultFiles.ResultsName)
            .Select(line =>
                (
                    line.GetProperty("custom_id").GetString(),
                    line.GetProperty("response").GetProperty("body").GetProperty("choices")[0].GetProperty("text").GetString()
                )
            )
            .ShouldBe([("c", "of c"), ("b", "of b")]);
    }

    [Fact]
    public async Task A_line_that_asks_for_something_else_than_was_submitted_is_a_conflict_and_gets_no_output()
    {
        var jobs = await KnownAsync(Exact, _ => "old", JobLines.Completion(customId: "a"));

        var written = await WriteAsync(jobs, Forgotten, JobLines.Completion("\"max_tokens\":7", "a"));

        (written.ResultCount, written.ErrorCount).ShouldBe((0, 1));
        written.Mismatches.ShouldNotBeNull().ShouldContain("line 1, custom_id 'a' (job_id_conflict)");
        var error = Read(ResultFiles.ErrorsName).ShouldHaveSingleItem().GetProperty("response");
        error.GetProperty("status_code").GetInt32().ShouldBe(409);
        error.GetProperty("body").GetProperty("error").GetProperty("message").GetString().ShouldNotBeNull().ShouldContain("--batch-id");
    }

    [Fact]
    public async Task What_the_submitter_filled_in_is_no_change_of_the_line()
    {
        var jobs = await KnownAsync(Exact with { Model = "alias", Policy = "static:4", Seed = 5 }, _ => "x", JobLines.Completion());

        (await WriteAsync(jobs, Forgotten, JobLines.Completion())).ResultCount.ShouldBe(1);
        (await WriteAsync(jobs, Exact, JobLines.Completion())).MismatchCount.ShouldBe(1);
    }

    [Fact]
    public async Task A_line_that_a_whole_batch_does_not_have_is_a_stranger_and_in_one_under_way_unfinished()
    {
        var written = await WriteAsync(new Jobs([]), Exact, JobLines.Completion());
        written.UnfinishedCount.ShouldBe(1);

        written = await WriteAsync(new Jobs([]), Exact, allAreKnown: true, JobLines.Completion());
        written.Mismatches.ShouldNotBeNull().ShouldContain("not_in_batch");
    }

    [Fact]
    public async Task A_batch_is_written_without_its_file()
    {
        var jobs = await KnownAsync(Exact, id => $"of {id}", JobLines.Completion(customId: "a"), JobLines.Chat(customId: "b"));

        var written = await new ResultFiles(_folder.Path, jobs).WriteAsync(JobLines.BatchId, TestContext.Current.CancellationToken);

        (written.ResultCount, written.ErrorCount).ShouldBe((2, 0));
        Read(ResultFiles.ResultsName)
            .Select(line => line.GetProperty("response").GetProperty("body").GetProperty("object").GetString())
            .ShouldBe(["text_completion", "chat.completion"]);
    }

    [Fact]
    public async Task A_result_lists_the_fields_of_its_line_that_were_ignored()
    {
        var line = JobLines.Completion("\"user\":\"u\"");
        var jobs = await KnownAsync(Exact, _ => "x", line);

        await WriteAsync(jobs, Exact, line);

        Read(ResultFiles.ResultsName)
            .ShouldHaveSingleItem()
            .GetProperty("response")
            .GetProperty("body")
            .GetProperty("dsde")
            .GetProperty("ignored_fields")
            .EnumerateArray()
            .Select(field => field.GetString())
            .ShouldBe(["body.user"]);
    }

    private Task<WrittenResults> WriteAsync(Jobs jobs, BatchDefaults defaults, params string[] lines) =>
        WriteAsync(jobs, defaults, allAreKnown: false, lines);

    private async Task<WrittenResults> WriteAsync(Jobs jobs, BatchDefaults defaults, bool allAreKnown, params string[] lines) =>
        await new ResultFiles(_folder.Path, jobs).WriteAsync(
            (await JobLines.ReadAsync(defaults, lines)).ToAsyncEnumerable(),
            defaults,
            allAreKnown,
            TestContext.Current.CancellationToken
        );

    private JsonElement[] Read(string name) =>
        [.. File.ReadLines(_folder.PathOf(name)).Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>What the database knows once the lines have been submitted and run.</summary>
    private static async Task<Jobs> KnownAsync(BatchDefaults defaults, Func<string?, string?> textOf, params string[] lines) =>
        new([
            .. (await JobLines.ReadAsync(defaults, lines)).Select(line => new KnownJob(
                line.JobId,
                line.CustomId,
                line.Job,
                CanonicalRequest.Write(line.Job!).Hash,
                Reporting.Ends.Completed() with
                {
                    JobId = line.JobId,
                    Text = textOf(line.CustomId),
                }
            )),
        ]);

    private sealed class Jobs(IReadOnlyList<KnownJob> known) : IKnownJobs
    {
        public Task<IReadOnlyDictionary<Guid, KnownJob>> FindAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyDictionary<Guid, KnownJob>>(
                known.Where(job => jobIds.Contains(job.JobId)).ToDictionary(job => job.JobId)
            );

        public IAsyncEnumerable<KnownJob> ReadEndedAsync(Guid batchId, CancellationToken cancellationToken) => known.ToAsyncEnumerable();
    }
}
