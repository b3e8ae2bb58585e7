using System.Security.Cryptography;
using System.Text;
using Dsde.Contracts;
using Dsde.Pipeline.Messaging.Incoming;

namespace Dsde.Pipeline.Tests.Messaging.Incoming;

public sealed class IncomingJobReaderTests
{
    private const string Secret = "do not repeat me";
    private const int MaxBytes = 4096;
    private static readonly Guid JobId = Guid.Parse("6f9619ff-8b86-d011-b42d-00c04fc964ff");
    private static readonly Guid BatchId = Guid.Parse("16fd2706-8baf-433b-82eb-8c7fada847da");

    /// <summary>Bodies that say whose they are: the reason reaches the submitter.</summary>
    public static TheoryData<string, string> Refused =>
        new()
        {
            { Job("\"temperature\":\"hot\""), "temperature must be a number, but is \"hot\"." },
            { Job("\"maxTokens\":1e999"), "maxTokens must be a whole number from 1 to 2147483647, but is 1e999." },
            { Job("\"maxTokens\":1.5"), "maxTokens must be a whole number, but is 1.5." },
            { Job("\"maxTokens\":99999999999"), "maxTokens must be a whole number from 1 to 2147483647, but is 99999999999." },
            { Job("\"maxTokens\":\"8\""), "maxTokens must be a whole number, but is \"8\"." },
            { Job("\"temperature\":1e999"), "temperature is beyond 1.8e308; give 0 (greedy) to 2." },
            { Job("\"logitBias\":{\"1\":-1e400}"), "logitBias of token 1 is below -1.8e308; give -100 to 100." },
            { Job("\"temperature\":\"NaN\""), "temperature must be a number, but is \"NaN\"." },
            { Job("\"seed\":1e400"), "seed must be a whole number from -9223372036854775808 to 9223372036854775807, but is 1e400." },
            { Job("\"topP\":1,\"topP\":0.5"), "topP is given twice; give it once." },
            { Job("\"topP\":1,\"TOPP\":0.5"), "topP is given twice; give it once." },
            { Job("\"messages\":[7]"), "messages[0] must be an object with role and content, but is 7." },
            { Job("\"messages\":{}"), "messages must be a list of messages, but is an object." },
            { Job("\"messages\":[null]"), "messages[0] must be an object with role and content, but is null." },
            { Job("\"messages\":[{\"role\":\"user\"}]"), "messages[0].content is missing; give a text." },
            { Job("\"messages\":[{\"role\":\"user\",\"content\":null}]"), "messages[0].content is missing; give a text." },
            { Job("\"messages\":[{\"role\":\"user\",\"content\":\"a\\u0000b\"}]"), "A turn of messages has a NUL character at position 1" },
            {
                Job("\"messages\":[{\"role\":\"assistant\",\"toolCalls\":7}]"),
                "messages[0].toolCalls must be a list of objects, but is 7."
            },
            {
                Job("\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{}]}]"),
                "messages[0].tool_calls is not known here; the nearest field is messages[0].toolCalls."
            },
            { Job("\"tools\":{}"), "tools must be a list of objects, but is an object." },
            { Job("\"tools\":[\"f\"]"), "tools[0] must be an object, but is a string." },
            { Job("\"chatTemplateKwargs\":[]"), "chatTemplateKwargs must be an object, but is a list." },
            { Job("\"tools\":[{\"name\":\"a\",\"name\":\"b\"}]"), "tools[0] has an entry twice; give it once." },
            { Job("\"documents\":[{\"a\":1e400}]"), "documents[0] has a number beyond 1.8e308; give a smaller one." },
            { Job("\"documents\":[{\"a\":[\"\\u0000\"]}]"), "documents[0] has a NUL character; leave it out." },
            { Job("\"documents\":[{\"a\":\"\\ud800\"}]"), "documents[0] has text that is not valid Unicode; give UTF-8," },
            { Job("\"stop\":\"end\""), "stop must be a list of strings, but is a string." },
            { Job("\"stop\":[null]"), "stop[0] must be a string, but is null." },
            { Job("\"stop\":[\"\\u0000\"]"), "A string of stop has a NUL character at position 0" },
            { Job("\"metadata\":{\"a\":null}"), "metadata of 'a' must be a string, but is null." },
            { Job("\"metadata\":{\"a\":1}"), "metadata of 'a' must be a string, but is 1." },
            { Job("\"metadata\":{\"a\\u0000\":\"x\"}"), "A label of metadata has a control character" },
            { Job("\"metadata\":{\"a\":\"\\u0007\"}"), "metadata has a control character for 'a'" },
            { Job("\"policy\":\"a\\u001b[31m\""), "policy has a control character" },
            {
                Job("\"expiresAt\":\"tomorrow\""),
                "expiresAt must be a moment such as \"2026-11-26T12:00:00Z\" (UTC if it has no offset), but is \"tomorrow\"."
            },
            { Job("\"ignoreEos\":\"yes\""), "ignoreEos must be true or false, but is \"yes\"." },
            { Job("\"logitBias\":{\"1\\u0000\":1}"), "logitBias has the token '...'" },
            { Job("\"logitBias\":{\"1\":1,\"01\":2}"), "logitBias has the token '01'; give token ids" },
            { Job("\"max_tokens\":8"), "max_tokens is not known here; the nearest field is maxTokens." },
            { Job("\"maxToken\":8"), "maxToken is not known here; the nearest field is maxTokens." },
            { Job("\"MAXTOKEN\":8"), "MAXTOKEN is not known here; the nearest field is maxTokens." },
            { Job("\"deadline\":\"2026-11-26T12:00:00Z\""), "deadline is not known here; the nearest field is expiresAt." },
            { Job("\"n\":2"), "n is not known here; the nearest field is choiceCount." },
            { Job("\"frobnicate\":{\"x\":[1]}"), "frobnicate is not known here, nor anything like it; known are jobId, batchId," },
            { Job($"\"prompt\":[1,2,\"{Secret}\"]", prompt: false), "prompt[0] must be a string or a list of token ids, but is 1." },
            { Job($"\"prompt\":[[1,\"{Secret}\"]]", prompt: false), "prompt[0][1] must be a whole number, but is a string." },
            { Job($"\"stop\":[[\"{Secret}\"]]"), "stop[0] must be a string, but is a list." },
            { Job($"\"stopTokenIds\":[\"{Secret}\"]"), "stopTokenIds[0] must be a whole number, but is a string." },
            { Job($"\"logitBias\":{{\"5\":\"{Secret}\"}}"), "logitBias of '5' must be a number, but is a string." },
            { Job("\"logitBias\":{\"5\":1,\"5\":2}"), "logitBias has '5' twice; give it once." },
            { Job($"\"{Secret}\":1"), "The message has a field that nobody knows, with a name that is none" },
            { Job("\"a\\ud800\":1"), "The message has a field that nobody knows, with a name that is none" },
            {
                Job("\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"contents\":\"a\"}]", prompt: false),
                "messages[1].contents is not known here; the nearest field is messages[1].content."
            },
            {
                Job("\"prompt\":\"\\ud800\"", prompt: false),
                "prompt has text that is not valid Unicode; give UTF-8, and surrogates in pairs."
            },
            { Job("\"prompt\":\"a\\u0000\"", prompt: false), "prompt has a NUL character at position 1" },
            { $$"""{"jobId":"{{JobId}}","prompt":"{{Secret}}"}""", "model is missing" },
            { $$"""{"jobId":"{{JobId}}","model":null,"prompt":"{{Secret}}"}""", "model is missing; give the alias of a model." },
            { $$"""{"jobId":"{{JobId}}","model":7,"prompt":"{{Secret}}"}""", "model must be a string, but is 7." },
            { $$"""{"jobId":"{{JobId}}","model":"a\u0000b","prompt":"{{Secret}}"}""", "model has a control character" },
            { $$"""{"jobId":"{{JobId}}","model":"m","customId":"a\nb","prompt":"{{Secret}}"}""", "customId has a control character" },
            {
                $$"""{"jobId":"{{JobId}}","model":"m","batchId":"7","prompt":"{{Secret}}"}""",
                "batchId must be a UUID such as 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11, but is \"7\"."
            },
            {
                $$"""{"jobId":"{{JobId}}","model":"m","prompt":"{{new string('x', MaxBytes)}}"}""",
                $"bytes; a worker takes at most {MaxBytes}."
            },
        };

    /// <summary>Bodies that don't.</summary>
    public static TheoryData<string, string> Unreadable =>
        new()
        {
            { "", "The body is not a JSON object: it is empty." },
            { "{", "can't be read from byte" },
            { "7", "not a JSON object" },
            { "null", "not a JSON object" },
            { "[]", "not a JSON object" },
            { "\"text\"", "not a JSON object" },
            { "{} {}", "not a JSON object" },
            { Secret, "not a JSON object" },
            { "{\"jobId\": 7", "not a JSON object" },
            { "{\"a\":" + new string('[', 100) + new string(']', 100) + "}", "nested deeper than 64 levels" },
            { new string('[', 100_000), "not a JSON object" },
            { "{}", "jobId is missing" },
            { $"{{\"job_id\":\"{JobId}\",\"model\":\"m\"}}", "own. job_id is not known here; the nearest field is jobId." },
            { $"{{\"a\":[{string.Join(',', Enumerable.Repeat("1", 1 << 20))}]}}", "too many values to look for its id" },
            { "{\"jobId\":7,\"model\":\"m\"}", "jobId is no UUID" },
            { "{\"jobId\":null,\"model\":\"m\"}", "jobId is no UUID" },
            { $"{{\"jobId\":\"{Secret}\",\"model\":\"m\"}}", "jobId is no UUID" },
            { $"{{\"jobId\":\"{Guid.Empty}\",\"model\":\"m\",\"prompt\":\"a\"}}", "jobId is all zeros" },
            { $"{{\"jobId\":\"{JobId}\",\"jobId\":\"{BatchId}\",\"model\":\"m\"}}", "jobId is given more than once" },
            { $"{{\"model\":\"m\",\"prompt\":\"{new string('x', MaxBytes)}\"}}", $"takes at most {MaxBytes}. jobId is missing" },
        };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_body_that_says_whose_it_is_fails_for_its_submitter_with_a_reason_that_repeats_nothing_of_a_prompt(
        string body,
        string reason
    )
    {
        var read = Read(body);

        read.Job.JobId.ShouldBe(JobId);
        var refusal = read.Refusal.ShouldNotBeNull();
        refusal.Failure.Code.ShouldBe(body.Length > MaxBytes ? FailureCodes.RequestTooLarge : FailureCodes.InvalidRequest);
        refusal.Failure.Message.ShouldContain(reason);
        refusal.Failure.Message.ShouldNotContain(Secret);
        refusal.BodyHash.ShouldBe(SHA256.HashData(Encoding.UTF8.GetBytes(body)));
    }

    [Theory]
    [MemberData(nameof(Unreadable))]
    public void A_body_that_does_not_say_whose_it_is_has_a_reason_that_repeats_nothing(string body, string reason)
    {
        var unreadable = Should.Throw<UnreadableMessageException>(() => Read(body));

        unreadable.Message.ShouldContain(reason);
        unreadable.Message.ShouldNotContain(Secret);
    }

    [Fact]
    public void A_schema_as_deep_as_a_message_may_be_is_written_down_and_read_back()
    {
        const int Deepest = 62; // with the message, and the object inside, 64
        for (var depth = 50; depth <= Deepest; depth++)
        {
            var written = CanonicalRequest.Write(Read(Nested(depth)).Job).Json;
            CanonicalRequest.Write(CanonicalRequest.Read(written)).Json.ShouldBe(written);
        }

        Should.Throw<UnreadableMessageException>(() => Read(Nested(Deepest + 1))).Message.ShouldContain("deeper than 64 levels");

        string Nested(int depth) =>
            $"{{\"jobId\":\"{JobId}\",\"model\":\"m\",\"prompt\":\"a\",\"guidedJson\":"
            + string.Concat(Enumerable.Repeat("{\"items\":", depth))
            + "{}"
            + new string('}', depth + 1);
    }

    [Theory]
    [InlineData("ff")]
    [InlineData("c328")]
    [InlineData("eda080")]
    public void Bytes_that_are_no_UTF_8_are_refused(string bytes)
    {
        byte[] body =
        [
            .. Encoding.UTF8.GetBytes($"{{\"jobId\":\"{JobId}\",\"model\":\"m\",\"prompt\":\""),
            .. Convert.FromHexString(bytes),
            .. "\"}"u8,
        ];

        IncomingJobReader.Read(body, null, MaxBytes).Refusal.ShouldNotBeNull().Failure.Message.ShouldContain("not valid Unicode");

        // The same where the routing key names the model.
        byte[] withoutModel =
        [
            .. Encoding.UTF8.GetBytes($"{{\"jobId\":\"{JobId}\",\"prompt\":\""),
            .. Convert.FromHexString(bytes),
            .. "\"}"u8,
        ];
        var refusal = IncomingJobReader.Read(withoutModel, null, MaxBytes, "m").Refusal.ShouldNotBeNull();
        refusal.Failure.Message.ShouldContain("not valid Unicode");
    }

    [Theory]
    [InlineData("2026-11-26T12:00:00")]
    [InlineData("2026-11-26T12:00:00Z")]
    [InlineData("2026-11-26T21:00:00+09:00")]
    public void A_deadline_is_a_moment_wherever_it_is_read_and_one_without_an_offset_is_UTC(string deadline)
    {
        var job = Read(Job($"\"expiresAt\":\"{deadline}\"")).Job;

        job.ExpiresAt.ShouldBe(new DateTimeOffset(2026, 11, 26, 12, 0, 0, TimeSpan.Zero));
        CanonicalRequest.Write(job).Hash.ShouldBe(CanonicalRequest.Write(Read(Job("\"expiresAt\":\"2026-11-26T12:00:00Z\"")).Job).Hash);
    }

    [Theory]
    [InlineData("\"maxTokens\":12.0,\"seed\":1.2e1,\"stopTokenIds\":[12.0]")]
    [InlineData("\"maxTokens\":12,\"seed\":12,\"stopTokenIds\":[12]")]
    public void Whole_numbers_may_be_written_with_a_fraction_of_nothing(string fields)
    {
        var job = Read(Job(fields)).Job;

        (job.MaxTokens, job.Seed).ShouldBe((12, 12L));
        job.StopTokenIds.ShouldBe([12]);
    }

    [Fact]
    public void Turns_may_carry_what_replayed_answers_have_at_values_that_say_nothing()
    {
        var read = Read(
            Job(
                "\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"name\":\"ann\"},{\"role\":\"assistant\",\"content\":null,"
                    + "\"tool_calls\":[],\"annotations\":[],\"refusal\":null}]",
                prompt: false
            )
        );

        read.Refusal.ShouldBeNull();
        read.Job.Messages.ShouldBe([
            new ChatMessage
            {
                Role = "user",
                Content = "a",
                Name = "ann",
            },
            new ChatMessage { Role = "assistant" },
        ]);
    }

    [Theory]
    [InlineData("[1,2.0,3]", "[1,2,3]")]
    [InlineData("[[1,2,3]]", "[1,2,3]")]
    [InlineData("""["a"]""", "\"a\"")]
    [InlineData("""["a","b",[1,2]]""", """["a","b",[1,2]]""")]
    public void A_prompt_may_be_token_ids_or_a_list_of_prompts(string prompt, string canonical)
    {
        var read = Read(Job($"\"prompt\":{prompt}", prompt: false));

        read.Refusal.ShouldBeNull();
        CanonicalRequest.Write(read.Job).Json.ShouldContain($"\"prompt\":{canonical}");
        CanonicalRequest.WriteWithoutPrompt(read.Job).ShouldNotContain("prompt");
    }

    [Theory]
    [InlineData("5", "prompt must be a string, a list of token ids, or a list of these, but is 5.")]
    [InlineData("{}", "prompt must be a string, a list of token ids, or a list of these, but is an object.")]
    [InlineData("[1,true]", "prompt[1] must be a whole number, but is true.")]
    [InlineData("""["secret",1]""", "prompt[1] must be a string or a list of token ids, but is 1.")]
    [InlineData("""[[1,"secret"]]""", "prompt[0][1] must be a whole number, but is a string.")]
    [InlineData("""["a",[]]""", "prompt[1] is empty; give at least one token.")]
    [InlineData("""["a",""]""", "prompt[1] is empty; give at least one character.")]
    [InlineData("""["a","b\u0000"]""", "prompt[1] has a NUL character at position 1; leave it out.")]
    public void A_wrong_prompt_is_named_with_its_place(string prompt, string message)
    {
        var read = Read(Job($"\"prompt\":{prompt}", prompt: false));

        (read.Refusal?.Failure.Message ?? JobRules.FindMistake(read.Job, JobFieldNames.InMessages)?.Message).ShouldBe(message);
    }

    [Fact]
    public void A_refused_job_keeps_its_batch_and_a_name_that_can_be_stored()
    {
        var named = Read($$"""{"jobId":"{{JobId}}","batchId":"{{BatchId}}","customId":"seven","model":"m","maxTokens":"x"}""").Job;
        var nameless = Read($$"""{"jobId":"{{JobId}}","customId":"{{new string('x', 513)}}","model":"m","prompt":"a"}""");

        (named.BatchId, named.CustomId).ShouldBe((BatchId, "seven"));
        nameless.Job.CustomId.ShouldBeNull();
        nameless.Refusal.ShouldNotBeNull().Failure.Message.ShouldBe("customId has 513 characters; give at most 512.");
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData(null)]
    public void A_good_job_is_read_whatever_its_media_type_and_how_its_names_are_spelt(string? mediaType)
    {
        var body =
            $$"""{"JOBID":"{{JobId}}","\u006dodel":"m","prompt":"a", /* by hand */ "metadata":{"max_tokens":"free"}"""
            + $$""","LogitBias":{"1":1},}""";

        var read = IncomingJobReader.Read((byte[])[.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(body)], mediaType, MaxBytes);

        read.Refusal.ShouldBeNull();
        (read.Job.JobId, read.Job.Model, read.Job.Prompt?.Text).ShouldBe((JobId, "m", "a"));
    }

    [Theory]
    [InlineData("\"2026-11-26T12:00:00Z\"", true)]
    [InlineData("\"2026-11-26T21:00:00+09:00\"", true)]
    [InlineData("\"0001-01-01T00:00:00Z\"", false)] // which PostgreSQL can't keep apart from nothing
    [InlineData("\"yesterday\"", false)]
    [InlineData("7", false)]
    [InlineData("null", false)]
    public void An_envelope_says_when_it_was_sent_and_one_that_does_not_is_read_all_the_same(string time, bool isRead)
    {
        var read = ReadEnvelope(
            """{"messageType":["urn:message:Dsde.Contracts:SubmitGenerationJob"],"sentTime":"""
                + $"{time},\"message\":{Job("\"maxTokens\":8")}}}"
        );

        read.Refusal.ShouldBeNull();
        read.Ids.SentTime.ShouldBe(isRead ? new DateTime(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc) : null);
    }

    [Fact]
    public void An_envelope_is_opened_and_its_ids_are_taken()
    {
        var read = ReadEnvelope(
            $$"""{"messageId":"{{BatchId}}","faultAddress":"rabbitmq://elsewhere/x","headers":{"a":"b"},"messageType":"""
                + $$"""["urn:message:Dsde.Contracts:SubmitGenerationJob"],"message":{{Job("\"maxTokens\":3")}} }"""
        );

        read.Refusal.ShouldBeNull();
        read.Job.MaxTokens.ShouldBe(3);
        read.Ids.MessageId.ShouldBe(BatchId);
    }

    [Theory]
    [InlineData(
        "{\"messageType\":[\"urn:message:Dsde.Contracts:CancelGenerationJob\"],"
            + "\"message\":{\"jobId\":\"6f9619ff-8b86-d011-b42d-00c04fc964ff\"}}",
        "does not name SubmitGenerationJob"
    )]
    [InlineData("{\"messageType\":7,\"message\":{}}", "does not name SubmitGenerationJob")]
    [InlineData("{\"message\":{}}", "does not name SubmitGenerationJob")]
    [InlineData("{\"messageType\":[\"urn:message:Dsde.Contracts:SubmitGenerationJob\"]}", "has no message")]
    [InlineData("{\"messageType\":[\"urn:message:Dsde.Contracts:SubmitGenerationJob\"],\"message\":7}", "not a JSON object")]
    [InlineData("{\"messageType\":[\"urn:message:Dsde.Contracts:SubmitGenerationJob\"],\"message\":null}", "not a JSON object")]
    [InlineData(
        "{\"messageType\":[\"urn:message:Dsde.Contracts:SubmitGenerationJob\"],\"message\":{},\"message\":{}}",
        "more than one message"
    )]
    [InlineData("garbage", "not a JSON object with an envelope")]
    public void An_envelope_of_something_else_is_no_job_even_if_it_has_a_job_id(string body, string reason) =>
        Should.Throw<UnreadableMessageException>(() => ReadEnvelope(body)).Message.ShouldContain(reason);

    [Fact]
    public void A_command_is_read_and_one_with_a_field_that_nobody_knows_is_not()
    {
        var (command, _) = ReadCommand($$"""{"JobId":"{{JobId}}"}""");
        var (enveloped, ids) = IncomingCommandFilter<CancelGenerationJob>.Read(
            Encoding.UTF8.GetBytes(
                $$"""{"messageId":"{{BatchId}}","messageType":["urn:message:Dsde.Contracts:CancelGenerationJob"]"""
                    + $$""","message":{"jobId":"{{JobId}}"},"x":1}"""
            ),
            MessageBody.EnvelopeMediaType,
            MaxBytes
        );

        (command.JobId, enveloped.JobId, ids.MessageId).ShouldBe((JobId, JobId, BatchId));
        Should
            .Throw<UnreadableMessageException>(() => ReadCommand($$"""{"jobId":"{{JobId}}","reason":"late"}"""))
            .Message.ShouldBe("reason is not known here, nor anything like it; known are jobId. Leave it out.");
        Should
            .Throw<UnreadableMessageException>(() => ReadCommand($$"""{"job_id":"{{JobId}}"}"""))
            .Message.ShouldStartWith("job_id is not known here; the nearest field is jobId.");
        Should.Throw<UnreadableMessageException>(() => ReadCommand("{}")).Message.ShouldBe("jobId is missing, given twice, or no UUID.");
        Should.Throw<UnreadableMessageException>(() => ReadCommand(new string(' ', MaxBytes + 1))).Message.ShouldContain("takes at most");
    }

    [Theory]
    [InlineData("{\"jobId\":\"ID\",\"prompt\":\"a\"}")]
    [InlineData(" { // where\n \"prompt\" : \"a\" , \"JobId\":\"ID\", }")]
    public void A_job_that_names_no_model_gets_the_one_that_is_known_otherwise(string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body.Replace("ID", $"{JobId}", StringComparison.Ordinal));

        IncomingJobReader
            .Read(bytes, null, MaxBytes, "later")
            .Job.ShouldBe(
                new SubmitGenerationJob
                {
                    JobId = Guid.Parse($"{JobId}"),
                    Model = "later",
                    Prompt = "a",
                }
            );
        IncomingJobReader.Read(bytes, null, MaxBytes).Refusal.ShouldNotBeNull().Failure.Message.ShouldStartWith("model is missing");
    }

    [Theory]
    [InlineData("\"model\":null", "model is missing")]
    [InlineData("\"model\":7", "model must be a string")]
    [InlineData("\"prompt\":\"b\"", "prompt is given twice")]
    public void A_mistake_is_none_the_less_one_where_the_model_is_known_otherwise(string field, string mistake) =>
        IncomingJobReader
            .Read(Encoding.UTF8.GetBytes($"{{\"jobId\":\"{JobId}\",\"prompt\":\"a\",{field}}}"), null, MaxBytes, "later")
            .Refusal.ShouldNotBeNull()
            .Failure.Message.ShouldStartWith(mistake);

    private static (CancelGenerationJob Command, MessageIds Ids) ReadCommand(string body) =>
        IncomingCommandFilter<CancelGenerationJob>.Read(Encoding.UTF8.GetBytes(body), "application/json", MaxBytes);

    private static string Job(string fields, bool prompt = true) =>
        $"{{\"jobId\":\"{JobId}\",\"model\":\"m\",{(prompt ? $"\"prompt\":\"{Secret}\"," : "")}{fields}}}";

    private static IncomingJob Read(string body) => IncomingJobReader.Read(Encoding.UTF8.GetBytes(body), "application/json", MaxBytes);

    private static IncomingJob ReadEnvelope(string body) =>
        IncomingJobReader.Read(Encoding.UTF8.GetBytes(body), MessageBody.EnvelopeMediaType, MaxBytes);
}
