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
        Describe(written).ShouldContain("1 result has no text");
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
    public async Task A_batch_whose_texts_were_pruned_still_has_its_results_whatever_it_was_submitted_with()
    {
        var seeded = Exact with { Seed = 7 };
        var jobs = (await KnownAsync(seeded, _ => null, JobLines.Completion(customId: "a"))).Prune();

        var written = await WriteAsync(jobs, Forgotten, JobLines.Completion(customId: "a"));

        (written.ResultCount, written.MismatchCount).ShouldBe((1, 0));
        Describe(written).ShouldContain("1 result has no text: it was pruned since");
    }

    [Fact]
    public async Task A_line_that_asks_for_something_else_than_was_submitted_is_a_conflict_and_gets_no_output()
    {
        var jobs = await KnownAsync(Exact, _ => "old", JobLines.Completion(customId: "a"));

        var written = await WriteAsync(jobs, Forgotten, JobLines.Completion("\"max_tokens\":7", "a"));

        (written.ResultCount, written.ErrorCount).ShouldBe((0, 1));
        Describe(written).ShouldContain("1 line does not fit the batch: line 1, custom_id 'a' (job_id_conflict)");
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
        (written.UnfinishedCount, written.JobLineCount, written.EndedCount).ShouldBe((1, 1, 0));

        written = await WriteAsync(new Jobs([]), Exact, allAreKnown: true, JobLines.Completion());
        Describe(written).ShouldContain("not_in_batch");
        written.JobLineCount.ShouldBe(0);
    }

    [Fact]
    public async Task Of_a_line_without_a_model_that_a_batch_does_not_have_it_is_said_why_it_was_no_job()
    {
        var line = JobLines.Completion().Replace("\"model\":\"demo\",", "", StringComparison.Ordinal);

        await WriteAsync(new Jobs([]), Forgotten, allAreKnown: true, line);

        Read(ResultFiles.ErrorsName)
            .ShouldHaveSingleItem()
            .GetProperty("response")
            .GetProperty("body")
            .GetProperty("error")
            .GetProperty("message")
            .GetString()
            .ShouldNotBeNull()
            .ShouldContain("It names no model, and was refused for that unless the batch was submitted with --model.");
    }

    [Fact]
    public async Task A_batch_is_written_without_its_file()
    {
        var jobs = await KnownAsync(Exact, id => $"of {id}", JobLines.Completion(customId: "a"), JobLines.Chat(customId: "b"));

        var written = await new ResultFiles(_folder.Path, jobs).WriteAsync(JobLines.BatchId, TestContext.Current.CancellationToken);

        (written.ResultCount, written.ErrorCount, written.EndedCount).ShouldBe((2, 0, 2));
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

    [Fact]
    public async Task A_file_without_a_result_is_not_named_as_if_it_were_there()
    {
        var path = _folder.Write(ResultFiles.ResultsName, "{}");

        var written = await WriteAsync(new Jobs([]), Exact, "no line of a job file");

        Describe(written).ShouldBe($"no results, so no {path}\n1 line without a result: see {_folder.PathOf(ResultFiles.ErrorsName)}");
        File.Exists(path).ShouldBeFalse();
    }

    [Fact]
    public async Task Numbers_of_one_and_of_many_are_told_apart_and_the_time_is_that_of_the_results()
    {
        string[] lines = [JobLines.Completion(customId: "a"), JobLines.Completion(customId: "b")];
        var jobs = await KnownAsync(Exact, _ => "x", lines);

        var one = await WriteAsync(jobs, Exact, lines[0]);
        var both = await WriteAsync(jobs, Exact, lines);

        one.Describe("out").ShouldBe(["1 result in out/results.jsonl"]);
        both.Describe("out", TimeSpan.FromSeconds(1.24)).ShouldBe(["2 results in out/results.jsonl, 1.2 s"]);
    }

    [Fact]
    public async Task Jobs_of_the_batch_that_the_file_lacks_are_counted_and_the_first_are_named()
    {
        string[] lines = [.. Enumerable.Range(0, 6).Select(number => JobLines.Completion(customId: $"j{number}"))];
        var jobs = await KnownAsync(Exact, _ => "x", lines);

        var absent = await FindAbsentAsync(jobs, lines[2]);
        var none = await FindAbsentAsync(jobs, lines);

        (absent.Count, absent.EndedCount, absent.Describe()).ShouldBe((5, 5, "'j0', 'j1', 'j3' and 2 more"));
        (none.Count, none.EndedCount).ShouldBe((0, 0));
        absent.WithUnseen(jobCount: 6, lineCount: 1).Count.ShouldBe(5);
        absent.WithUnseen(jobCount: 9, lineCount: 1).Describe().ShouldBe("'j0', 'j1', 'j3' and 5 more"); // three are yet to be seen
        AbsentJobs.None.WithUnseen(jobCount: 2, lineCount: 1).Describe().ShouldBe("no worker has seen them yet");
        AbsentJobs.None.WithUnseen(jobCount: null, lineCount: 1).Count.ShouldBe(0);
    }

    private static async Task<AbsentJobs> FindAbsentAsync(Jobs jobs, params string[] lines) =>
        await AbsentJobs.FindAsync(
            (await JobLines.ReadAsync(Forgotten, lines)).ToAsyncEnumerable(),
            jobs,
            JobLines.BatchId,
            TestContext.Current.CancellationToken
        );

    private string Describe(WrittenResults written) => string.Join('\n', written.Describe(_folder.Path));

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
        /// <summary>What is left once texts have been pruned.</summary>
        public Jobs Prune() => new([.. known.Select(job => job with { Request = null })]);

        public Task<IReadOnlyDictionary<Guid, KnownJob>> FindAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyDictionary<Guid, KnownJob>>(
                known.Where(job => jobIds.Contains(job.JobId)).ToDictionary(job => job.JobId)
            );

        public IAsyncEnumerable<KnownJob> ReadEndedAsync(Guid batchId, CancellationToken cancellationToken) => known.ToAsyncEnumerable();

        public IAsyncEnumerable<JobName> ReadNamesAsync(Guid batchId, CancellationToken cancellationToken) =>
            known.Select(job => new JobName(job.JobId, job.CustomId, HasEnded: job.End is not null)).ToAsyncEnumerable();
    }
}
