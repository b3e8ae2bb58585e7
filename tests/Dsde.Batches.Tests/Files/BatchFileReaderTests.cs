using System.Text;
using Dsde.Batches.Files;
using Dsde.Batches.Files.Reading;

namespace Dsde.Batches.Tests.Files;

public sealed class BatchFileReaderTests
{
    [Fact]
    public async Task A_bad_line_disturbs_no_other_and_keeps_its_number()
    {
        var lines = await JobLines.ReadAsync(JobLines.Completion(customId: "a"), "{not json", "", JobLines.Completion(customId: "b"));

        lines
            .Select(line => (line.Number, line.CustomId, line.Error?.Code))
            .ShouldBe([(1, "a", null), (2, null, LineErrorCodes.InvalidJson), (4, "b", null)]);
        lines[1].Error!.Message.ShouldContain("column 2");
    }

    [Fact]
    public async Task Job_ids_follow_from_batch_and_custom_id_whatever_lines_come_before()
    {
        var whole = await JobLines.ReadAsync(JobLines.Completion(customId: "a"), JobLines.Completion(customId: "b"));
        var without = await JobLines.ReadAsync(JobLines.Completion(customId: "b"));

        without[0].Job!.JobId.ShouldBe(whole[1].Job!.JobId);
        whole[0].JobId.ShouldNotBe(whole[1].JobId);
    }

    [Fact]
    public async Task A_custom_id_that_is_a_number_is_no_line_number()
    {
        var lines = await JobLines.ReadAsync(JobLines.Completion(customId: "2"), "not JSON");

        lines[0].JobId.ShouldNotBe(lines[1].JobId);
    }

    [Fact]
    public async Task The_second_use_of_a_custom_id_is_the_error()
    {
        var lines = await JobLines.ReadAsync(JobLines.Completion(customId: "a"), JobLines.Chat(customId: "a"));

        lines[0].Error.ShouldBeNull();
        lines[1].Error.ShouldNotBeNull().Code.ShouldBe(LineErrorCodes.DuplicateCustomId);
        lines[1].CustomId.ShouldBe("a");
    }

    [Theory]
    [InlineData("""[1]""", LineErrorCodes.InvalidJson, null)]
    [InlineData("""{"method":"POST","url":"/v1/completions","body":{}}""", LineErrorCodes.MissingField, "custom_id")]
    [InlineData("""{"custom_id":7,"url":"/v1/completions","body":{}}""", LineErrorCodes.InvalidValue, "custom_id")]
    [InlineData("""{"custom_id":"a","method":"GET","url":"/v1/completions","body":{}}""", LineErrorCodes.InvalidMethod, "method")]
    [InlineData("""{"custom_id":"a","url":"/v1/embeddings","body":{}}""", LineErrorCodes.InvalidUrl, "url")]
    [InlineData("""{"custom_id":"a","body":{}}""", LineErrorCodes.MissingField, "url")]
    [InlineData("""{"custom_id":"a","url":"/v1/completions"}""", LineErrorCodes.MissingField, "body")]
    [InlineData("""{"custom_id":"a","url":"/v1/completions","body":"x"}""", LineErrorCodes.InvalidValue, "body")]
    [InlineData(
        """{"custom_id":"a","url":"/v1/completions","body":{"model":"m","prompt":"x"},"bdy":1}""",
        LineErrorCodes.UnknownField,
        "bdy"
    )]
    [InlineData("""{"custom_id":"a","url":"/v1/completions","body":{},"model":"m"}""", LineErrorCodes.Unsupported, "model")]
    [InlineData("""{"custom_id":"a","custom_id":"b","url":"/v1/completions","body":{}}""", LineErrorCodes.InvalidValue, "custom_id")]
    [InlineData("""{"custom_id":"a","url":"/v1/completions","body":{"model":"m"}}""", LineErrorCodes.MissingField, "body.prompt")]
    [InlineData("""{"custom_id":"a","url":"/v1/completions","body":{"prompt":"x"}}""", LineErrorCodes.MissingField, "body.model")]
    [InlineData("""{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m"}}""", LineErrorCodes.MissingField, "body.messages")]
    public async Task An_unusable_line_names_the_field(string line, string code, string? field)
    {
        var error = await JobLines.ReadErrorAsync(line);

        error.Code.ShouldBe(code);
        error.Field.ShouldBe(field);
    }

    [Fact]
    public async Task Text_that_is_not_unicode_is_an_error_of_its_line()
    {
        var bytes = Encoding.UTF8.GetBytes(JobLines.Completion(customId: "?"));
        bytes[Array.IndexOf(bytes, (byte)'?')] = 0xFF;
        using var stream = new MemoryStream([.. bytes, (byte)'\n', .. Encoding.UTF8.GetBytes(JobLines.Completion(customId: "\\ud800"))]);

        var lines = await JobLines.ReadAsync(stream, new BatchDefaults { BatchId = JobLines.BatchId });

        lines.Select(line => line.Error?.Code).ShouldBe([LineErrorCodes.InvalidValue, LineErrorCodes.InvalidValue]);
    }

    [Fact]
    public async Task Byte_order_mark_carriage_returns_and_blank_lines_are_no_trouble()
    {
        var text = JobLines.Completion(customId: "a") + "\r\n   \r\n" + JobLines.Completion(customId: "b") + "\r\n";
        using var stream = new MemoryStream([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(text)]);

        var lines = await JobLines.ReadAsync(stream, new BatchDefaults { BatchId = JobLines.BatchId });

        lines.Select(line => (line.Number, line.CustomId)).ShouldBe([(1, "a"), (3, "b")]);
    }

    [Theory]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    public async Task A_file_of_another_encoding_is_named_as_such(string name)
    {
        var encoding = Encoding.GetEncoding(name);
        using var stream = new MemoryStream([.. encoding.Preamble, .. encoding.GetBytes(JobLines.Completion())]);

        var lines = await JobLines.ReadAsync(stream, new BatchDefaults { BatchId = JobLines.BatchId });

        lines[0].Error.ShouldNotBeNull().Message.ShouldBe("The file is UTF-16; save it as UTF-8.");
    }

    [Fact]
    public async Task A_line_beyond_the_limit_is_skipped_whole()
    {
        var tooLong = JobLines.Completion("\"user\":\"" + new string('x', JobFileLines.MaxLineBytes) + "\"", "big");

        var lines = await JobLines.ReadAsync(JobLines.Completion(customId: "a"), tooLong, JobLines.Completion(customId: "b"));

        lines.Select(line => (line.Number, line.Error?.Code)).ShouldBe([(1, null), (2, LineErrorCodes.LineTooLong), (3, null)]);
    }

    [Fact]
    public async Task An_empty_file_has_no_lines() => (await JobLines.ReadAsync("")).ShouldBeEmpty();

    [Fact]
    public async Task Defaults_fill_only_what_the_line_leaves_open()
    {
        var defaults = new BatchDefaults
        {
            BatchId = JobLines.BatchId,
            Model = "alias",
            Policy = "static:4",
            Seed = 100,
        };

        var lines = await JobLines.ReadAsync(
            defaults,
            JobLines.Completion(customId: "a"),
            JobLines.Completion("\"seed\":7,\"policy\":\"autoregressive\"", "b")
        );

        lines
            .Select(line => (line.Job!.Model, line.Job.Seed, line.Job.Policy))
            .ShouldBe([("alias", 101L, "static:4"), ("alias", 7L, "autoregressive")]);
    }
}
