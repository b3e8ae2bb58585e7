using System.Text.Json;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.BadJobs;

/// <summary>
/// One of every mistake among good jobs: through <c>dsde run</c>, through <c>dsde submit</c> and as messages. Each costs its own job, and
/// is told in the same words.
/// </summary>
public sealed class BadJobTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private static readonly string[] WholeLines =
    [
        "{",
        "[1]",
        """{"custom_id":"nan","url":"/v1/completions","body":{"model":"dsde-demo","prompt":"a","temperature":NaN}}""",
        """{"url":"/v1/completions","body":{"model":"dsde-demo","prompt":"a"}}""",
        """{"custom_id":"good-0","url":"/v1/completions","body":{"model":"dsde-demo","prompt":"a"}}""",
        """{"custom_id":"elsewhere","url":"/v1/embeddings","body":{"model":"dsde-demo","prompt":"a"}}""",
        """{"custom_id":"get","method":"GET","url":"/v1/completions","body":{"model":"dsde-demo","prompt":"a"}}""",
        """{"custom_id":"bodiless","url":"/v1/completions"}""",
    ];

    [Fact]
    public async Task Every_mistake_costs_its_own_job_and_is_told_in_the_same_words_in_files_and_messages()
    {
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres);
        using var folder = new ScratchFolder();
        var bad = BadJobList.All;
        var file = folder.Write("jobs.jsonl", [.. bad.SelectMany((job, index) => new[] { Good(index), Line(index, job) }), .. WholeLines]);

        var run = await DsdeProgram.RunAsync("run", file, "--out", folder.PathOf("run"), "--no-speedup");
        var submit = await DsdeProgram.RunAsync(worker.Environment, "submit", file, "--wait", "--out", folder.PathOf("submit"));

        run.ExitCode.ShouldBe(1, run.Error + run.Output);
        submit.ExitCode.ShouldBe(1, submit.Error + submit.Output);
        var errors = ReadErrors(folder.PathOf("run"));
        ReadErrors(folder.PathOf("submit")).Except(errors).ShouldBeEmpty();
        foreach (var way in (string[])["run", "submit"])
        {
            ReadErrors(folder.PathOf(way)).Count.ShouldBe(bad.Count + WholeLines.Length);
        }

        foreach (var (index, job) in bad.Index())
        {
            errors[index].CustomId.ShouldBe($"bad-{index}");
            errors[index].Message.ShouldStartWith(job.Says);
            errors[index].Param.ShouldNotBeNull(job.Line);
        }

        foreach (var way in (string[])["run", "submit"])
        {
            ResultLine
                .Read(folder.PathOf(way, "results.jsonl"))
                .Select(result => result.CustomId)
                .ShouldBe(Enumerable.Range(0, bad.Count).Select(index => $"good-{index}"));
        }

        await ShouldFailWithTheSameWordsAsync(worker, bad, errors);
    }

    private async Task ShouldFailWithTheSameWordsAsync(
        WorkerUnderTest worker,
        IReadOnlyList<BadJob> bad,
        List<(string? CustomId, string? Param, string Message)> errors
    )
    {
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var sent = bad.Select((job, index) => (Job: job, Line: errors[index].Message, Id: Guid.NewGuid()))
            .Where(entry => entry.Job.Message is not null)
            .ToList();
        await using (var producer = await RawProducer.OpenAsync(rabbitMq.Port, worker.VirtualHost))
        {
            foreach (var (job, _, id) in sent)
            {
                await producer.SendAsync(
                    RawProducer.Unrouted,
                    Message(Guid.NewGuid(), "\"model\":\"dsde-demo\",\"prompt\":\"Story: Once\"")
                );
                await producer.SendAsync(RawProducer.Unrouted, Message(id, job.Message!));
            }
        }

        await tap.WaitForAsync(2 * sent.Count);
        tap.Events.Count(told => told.Type == "GenerationJobCompleted").ShouldBe(sent.Count);
        foreach (var (job, line, id) in sent)
        {
            var told = tap.Events.Single(told => told.JobId == id);
            told.Type.ShouldBe("GenerationJobFailed", job.Message);
            var said = told.Message.GetProperty("message").GetString().ShouldNotBeNull();
            if (job.MessageSays is { } others)
            {
                said.ShouldStartWith(others);
            }
            else
            {
                said.ShouldBe(BadJob.InWordsOfMessages(line));
            }
        }

        // None of them is for an operator.
        await tap.ShouldBeEmptyAsync(RawProducer.Jobs, RawProducer.Errors);
    }

    private static string Good(int index) =>
        $$$"""{"custom_id":"good-{{{index}}}","url":"/v1/completions","body":{"model":"dsde-demo","prompt":"Story: Once","""
        + "\"max_tokens\":2.0,"
        + "\"temperature\":null,\"seed\":1}}";

    private static string Line(int index, BadJob job) =>
        $$"""{"custom_id":"bad-{{index}}","url":"/v1/{{(job.IsChat ? "chat/" : "")}}completions","body":{{{job.Line}}}""" + "}";

    private static string Message(Guid jobId, string fields) => $$"""{"jobId":"{{jobId}}",{{fields}}}""";

    private static List<(string? CustomId, string? Param, string Message)> ReadErrors(string folder) =>
        [
            .. File.ReadLines(Path.Combine(folder, "errors.jsonl"))
                .Select(line => JsonDocument.Parse(line).RootElement)
                .Select(line =>
                    (Id: line.GetProperty("custom_id"), Error: line.GetProperty("response").GetProperty("body").GetProperty("error"))
                )
                .Select(line =>
                    (line.Id.GetString(), line.Error.GetProperty("param").GetString(), line.Error.GetProperty("message").GetString()!)
                ),
        ];
}
