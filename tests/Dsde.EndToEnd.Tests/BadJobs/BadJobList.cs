namespace Dsde.EndToEnd.Tests.BadJobs;

/// <summary>One of every mistake that a job can have.</summary>
internal static class BadJobList
{
    private const string Range = "-2147483648 to 2147483647";
    private const string LongRange = "-9223372036854775808 to 9223372036854775807";
    private const string Moment = "a moment such as \"2026-11-26T12:00:00Z\" (UTC if it has no offset)";
    private const string Template = "The chat template of model dsde-demo-target";
    private const string Turn = "an object with role and content";

    public static IReadOnlyList<BadJob> All { get; } =
    [
        .. Numbers(),
        .. WholeNumbers(),
        .. Choices(),
        .. Collections(),
        .. Prompts(),
        .. Chats(),
        .. Tools(),
        .. Names(),
        .. Formats(),
        .. OnlyInLines(),
    ];

    private static IEnumerable<BadJob> Numbers() =>
        [
            BadJob.Of("temperature", "1e400", "temperature is beyond 1.8e308; give 0 (greedy) to 2."),
            BadJob.Of("temperature", "-1e400", "temperature is below -1.8e308; give 0 (greedy) to 2."),
            BadJob.Of("temperature", "-0.5", "temperature is -0.5; give 0 (greedy) to 2."),
            BadJob.Of("temperature", "2.5", "temperature is 2.5; give 0 (greedy) to 2."),
            BadJob.Of("temperature", "\"NaN\"", "temperature must be a number, but is \"NaN\"."),
            BadJob.Of("temperature", "\"hot\"", "temperature must be a number, but is \"hot\"."),
            BadJob.Of("temperature", "true", "temperature must be a number, but is true."),
            BadJob.Of("temperature", "[1]", "temperature must be a number, but is a list."),
            BadJob.Of("temperature", "{}", "temperature must be a number, but is an object."),
            BadJob.Of("top_p", "1e400", "top_p is beyond 1.8e308; give more than 0 and at most 1."),
            BadJob.Of("top_p", "0", "top_p is 0; give more than 0 and at most 1."),
            BadJob.Of("top_p", "1.5", "top_p is 1.5; give more than 0 and at most 1."),
            BadJob.Of("top_p", "\"1\"", "top_p must be a number, but is \"1\"."),
            BadJob.Of("min_p", "-1e999", "min_p is below -1.8e308; give 0 (off) to 1."),
            BadJob.Of("min_p", "2", "min_p is 2; give 0 (off) to 1."),
            BadJob.Of("repetition_penalty", "1e400", "repetition_penalty is beyond 1.8e308; give 0.01 to 100; 1 is off."),
            BadJob.Of("repetition_penalty", "0", "repetition_penalty is 0; give 0.01 to 100; 1 is off."),
            BadJob.Of("repetition_penalty", "\"off\"", "repetition_penalty must be a number, but is \"off\"."),
            BadJob.Of("presence_penalty", "1e400", "presence_penalty is beyond 1.8e308; give -2 to 2; 0 is off."),
            BadJob.Of("presence_penalty", "3", "presence_penalty is 3; give -2 to 2; 0 is off."),
            BadJob.Of("frequency_penalty", "-1e400", "frequency_penalty is below -1.8e308; give -2 to 2; 0 is off."),
            BadJob.Of("frequency_penalty", "-2.1", "frequency_penalty is -2.1; give -2 to 2; 0 is off."),
        ];

    private static IEnumerable<BadJob> WholeNumbers() =>
        [
            BadJob.Of("top_k", "-2", "top_k is -2; give 0 (off) or more."),
            BadJob.Of("top_k", "1.5", "top_k must be a whole number, but is 1.5."),
            BadJob.Of("top_k", "99999999999", "top_k must be a whole number from 0 to 2147483647, but is 99999999999."),
            BadJob.Of("max_tokens", "0", "max_tokens is 0; give at least 1, or leave it out."),
            BadJob.Of("max_tokens", "-1", "max_tokens is -1; give at least 1, or leave it out."),
            BadJob.Of("max_tokens", "1.5", "max_tokens must be a whole number, but is 1.5."),
            BadJob.Of("max_tokens", "1e999", "max_tokens must be a whole number from 1 to 2147483647, but is 1e999."),
            BadJob.Of("max_tokens", "2147483648", "max_tokens must be a whole number from 1 to 2147483647, but is 2147483648."),
            BadJob.Of("max_tokens", "\"8\"", "max_tokens must be a whole number, but is \"8\"."),
            BadJob.Of("n", "0", "n is 0; give 1 to 128."),
            BadJob.Of("n", "129", "n is 129; give 1 to 128."),
            BadJob.Of("n", "1e400", "n must be a whole number from 1 to 128, but is 1e400."),
            BadJob.Of("n", "-1e400", "n must be a whole number from 1 to 128, but is -1e400."),
            BadJob.Of("n", "1.5", "n must be a whole number, but is 1.5."),
            BadJob.Of("seed", "9223372036854775808", $"seed must be a whole number from {LongRange}, but is 9223372036854775808."),
            BadJob.Of("seed", "-9223372036854775809", $"seed must be a whole number from {LongRange}, but is -9223372036854775809."),
            BadJob.Of("seed", "1e400", "seed must be a whole number from -9223372036854775808 to 9223372036854775807, but is 1e400."),
            BadJob.Of("seed", "0.5", "seed must be a whole number, but is 0.5."),
            BadJob.Of("seed", "\"x\"", "seed must be a whole number, but is \"x\"."),
            BadJob.Of("priority", "\"high\"", "priority must be a whole number, but is \"high\"."),
            BadJob.Of("priority", "2147483648", $"priority must be a whole number from {Range}, but is 2147483648."),
            BadJob.Of("priority", "0.5", "priority must be a whole number, but is 0.5."),
            BadJob.Chat(
                """[{"role":"user","content":"Hi"}]""",
                "top_logprobs is 21; give 0 to 20.",
                ",\"logprobs\":true,\"top_logprobs\":21"
            ),
            BadJob.Chat(
                """[{"role":"user","content":"Hi"}]""",
                "top_logprobs is 5, but log-probabilities are not asked for; ask for them with logprobs as well.",
                ",\"top_logprobs\":5"
            ),
            BadJob.Of("logprobs", "1e400", "logprobs must be a whole number from 0 to 20, but is 1e400.") with
            {
                Message = """
                    "model":"dsde-demo","prompt":"Story: Once","returnLogProbabilities":true,"topLogProbabilityCount":1e400
                    """,
                MessageSays = "topLogProbabilityCount must be a whole number from 0 to 20, but is 1e400.",
            },
            BadJob.Of("logprobs", "21", "logprobs is 21; give 0 to 20.") with
            {
                Message = """
                    "model":"dsde-demo","prompt":"Story: Once","returnLogProbabilities":true,"topLogProbabilityCount":21
                    """,
                MessageSays = "topLogProbabilityCount is 21; give 0 to 20.",
            },
        ];

    private static IEnumerable<BadJob> Choices() =>
        [
            BadJob.Of("sampling_mode", "\"beam\"", "sampling_mode is 'beam'; give rejection or coupled, or leave it out."),
            BadJob.Of("sampling_mode", "7", "sampling_mode must be a string, but is 7."),
            BadJob.Of("policy", "\"fast\"", "policy is 'fast'; give dsde, dsde-paper or "),
            BadJob.Of("policy", "\"static:0\"", "policy is 'static:0'; give dsde, dsde-paper or "),
            BadJob.Of("policy", "7", "policy must be a string, but is 7."),
            BadJob.Of("policy", $"\"{new string('x', 65)}\"", "policy has 65 characters; give at most 64."),
            BadJob.Of("policy", "\"a\\u001b[31m\"", "policy has a control character; leave it out."),
            BadJob.Of("expires_at", "\"tomorrow\"", $"expires_at must be {Moment}, but is \"tomorrow\"."),
            BadJob.Of("expires_at", "\"2026-13-01T00:00:00Z\"", $"expires_at must be {Moment}, but is \"2026-13-01T00:00:00Z\"."),
            BadJob.Of("expires_at", "1764158400", $"expires_at must be {Moment}, but is 1764158400."),
            BadJob.Of("ignore_eos", "0", "ignore_eos must be true or false, but is 0."),
            BadJob.Of("ignore_eos", "\"yes\"", "ignore_eos must be true or false, but is \"yes\"."),
            BadJob.Of("return_token_ids", "1", "return_token_ids must be true or false, but is 1."),
            BadJob.Of("return_tokens_as_token_ids", "\"no\"", "return_tokens_as_token_ids must be true or false, but is \"no\"."),
        ];

    private static IEnumerable<BadJob> Collections() =>
        [
            BadJob.Of("logit_bias", "{\"5\":1e400}", "logit_bias of token 5 is beyond 1.8e308; give -100 to 100."),
            BadJob.Of("logit_bias", "{\"5\":101}", "logit_bias of token 5 is 101; give -100 to 100."),
            BadJob.Of("logit_bias", "{\"the\":1}", "logit_bias has the token 'the'; give token ids, from 0 on."),
            BadJob.Of("logit_bias", "{\"-1\":1}", "logit_bias has the token '-1'; give token ids, from 0 on."),
            BadJob.Of("logit_bias", "{\"999999\":1}", "logit_bias has the token 999999; give token ids from 0 to "),
            BadJob.Of("logit_bias", "{\"5\":\"x\"}", "logit_bias of '5' must be a number, but is a string."),
            BadJob.Of("logit_bias", "{\"5\":1,\"5\":2}", "logit_bias has '5' twice; give it once."),
            BadJob.Of("logit_bias", "[5]", "logit_bias must be an object of token ids with numbers, but is a list."),
            BadJob.Of("stop", "[\"\"]", "stop has an empty string; leave it out."),
            BadJob.Of("stop", "[1]", "stop[0] must be a string, but is 1."),
            BadJob.Of("stop", "[\"a\",null]", "stop[1] must be a string, but is null."),
            BadJob.Of("stop", $"[{string.Join(',', Enumerable.Repeat("\"a\"", 17))}]", "stop has 17 strings; give at most 16."),
            BadJob.Of("stop", $"[\"{new string('x', 1025)}\"]", "stop has a string of 1025 characters; give at most 1024."),
            BadJob.Of("stop", "7", "stop must be a string or a list of strings, but is 7.") with
            {
                MessageSays = "stop must be a list of strings, but is 7.",
            },
            BadJob.Of("stop_token_ids", "[1.5]", "stop_token_ids[0] must be a whole number, but is 1.5."),
            BadJob.Of("stop_token_ids", "\"x\"", "stop_token_ids must be a list of token ids, but is a string."),
            BadJob.Of("stop_token_ids", "[1,-1]", "stop_token_ids has the token -1; give token ids from 0 to "),
            BadJob.Of("stop_token_ids", "[1e10]", "stop_token_ids[0] must be a whole number from 0 to 2147483647, but is 1e10."),
            BadJob.Of("stop_token_ids", "[999999]", "stop_token_ids has the token 999999; give token ids from 0 to "),
            BadJob.Of("metadata", "[]", "metadata must be an object whose values are strings, but is a list."),
            BadJob.Of("metadata", "{\"a\":1}", "metadata of 'a' must be a string, but is 1."),
            BadJob.Of("metadata", "{\"a\":null}", "metadata of 'a' must be a string, but is null."),
            BadJob.Of("metadata", "{\"a\":\"b\",\"a\":\"c\"}", "metadata has 'a' twice; give it once."),
            BadJob.Of(
                "metadata",
                $"{{{string.Join(',', Enumerable.Range(0, 17).Select(label => $"\"{label}\":\"x\""))}}}",
                "metadata has 17 entries; give at most 16."
            ),
        ];

    private static IEnumerable<BadJob> Prompts() =>
        [
            BadJob.Whole("\"model\":\"dsde-demo\",\"prompt\":\"\"", "prompt is empty; give at least one character."),
            BadJob.Whole("\"model\":\"dsde-demo\",\"prompt\":\"a\\u0000b\"", "prompt has a NUL character at position 1; leave it out."),
            BadJob.Whole("\"model\":\"dsde-demo\",\"prompt\":\"\\ud800\"", "prompt has text that is not valid Unicode; give UTF-8, "),
            BadJob.Whole(
                $"\"model\":\"dsde-demo\",\"prompt\":\"{string.Concat(Enumerable.Repeat("word ", 3000))}\"",
                "prompt is too long: "
            ),
            Prompt("7", "prompt must be a string, a list of token ids, or a list of these, but is 7."),
            BadJob.Whole("\"model\":\"dsde-demo\"", "prompt is missing; give a text, a list of token ids, or a list of these.") with
            {
                MessageSays = "Neither prompt nor messages is given; give one of them.",
            },
            Prompt("[]", "prompt is empty; give at least one token."),
            Prompt("[1.5]", "prompt[0] must be a whole number, but is 1.5."),
            Prompt("[5,null]", "prompt[1] must be a whole number, but is null."),
            Prompt("[5,1e400]", "prompt[1] must be a whole number from 0 to 2147483647, but is 1e400."),
            Prompt("[5,-1]", "prompt has the token -1; give token ids from 0 to "),
            Prompt("""["Story:",7]""", "prompt[1] must be a string or a list of token ids, but is 7."),
            Prompt("""["Story:",[]]""", "prompt[1] is empty; give at least one token."),
            Prompt("""["Story:",[5,999999]]""", "prompt[1] has the token 999999; give token ids from 0 to "),
            Prompt($"[{string.Join(',', Enumerable.Repeat("[5]", 129))}]", "prompt has 129 prompts; give at most 128 outputs in all."),
            Prompt("[999999]", "prompt has the token 999999; give token ids from 0 to "),
        ];

    private static IEnumerable<BadJob> Chats() =>
        [
            BadJob.Chat("[]", "messages is empty; give at least one."),
            BadJob.Chat("\"Hi\"", "messages must be a list of messages, but is a string."),
            BadJob.Chat("[7]", $"messages[0] must be {Turn}, but is 7."),
            BadJob.Chat("[null]", $"messages[0] must be {Turn}, but is null."),
            BadJob.Chat("""[{"content":"Hi"}]""", "messages[0].role is missing; say who speaks."),
            BadJob.Chat("""[{"role":7,"content":"Hi"}]""", "messages[0].role must be a string, but is 7."),
            BadJob.Chat("""[{"role":"user"}]""", "messages[0].content is missing; give a text."),
            BadJob.Chat("""[{"role":"user","content":[]}]""", "messages[0].content is missing; give a text.") with
            {
                MessageSays = "messages[0].content must be a string, but is a list.",
            },
            BadJob.Chat("""[{"role":"user","content":null}]""", "messages[0].content is missing; give a text."),
            BadJob.Chat("""[{"role":"user","content":7}]""", "messages[0].content must be a string or a list of text parts, but is 7.") with
            {
                MessageSays = "messages[0].content must be a string, but is 7.",
            },
            BadJob.Chat("""[{"role":"wizard","content":"Hi"}]""", "messages has the role 'wizard'; give system, user, assistant"),
            BadJob.Chat("""[{"role":"user","content":"a\u0000"}]""", "A turn of messages has a NUL character at position 1; leave it out."),
            BadJob.Chat(
                """[{"role":"user","content":"Hi"},{"role":"user","contents":"Hi"}]""",
                "messages[1].content is missing; give a text."
            ) with
            {
                MessageSays = "messages[1].contents is not known here; the nearest field is messages[1].content.",
            },
        ];

    private static IEnumerable<BadJob> Tools() =>
        [
            With("tools", "{}", "tools must be a list of objects, but is an object."),
            With("tools", "[7]", "tools[0] must be an object, but is 7."),
            With("tools", """[{"name":"f","x":{"a":1,"a":2}}]""", "tools[0] has an entry twice; give it once."),
            With("tools", "[{}]", "tools[0] has no function with a name; give"),
            With("tools", """[{"name":"f","x":1e400}]""", "tools[0] has a number beyond 1.8e308; give a smaller one."),
            With(
                "tools",
                """[{"name":"f"}]""",
                $"tools: {Template} makes the same prompt of this chat without tools: the model would not see them."
            ),
            With(
                "documents",
                """[{"text":"x"}]""",
                $"documents: {Template} makes the same prompt of this chat without documents: the model"
            ),
            With("chat_template_kwargs", "[]", "chat_template_kwargs must be an object, but is a list."),
            With("chat_template_kwargs", """{"messages":[]}""", "chat_template_kwargs has 'messages', which is not for jobs to set;"),
            With(
                "chat_template_kwargs",
                """{"enable_thinking":true}""",
                $"chat_template_kwargs: {Template} takes no variable 'enable_thinking'; it takes"
            ),
            BadJob.Chat("""[{"role":"assistant","tool_calls":[{}]}]""", "messages[0].tool_calls[0] has no function with a name; give"),
            BadJob.Chat(
                """[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{"}}]}]""",
                "messages[0].tool_calls[0] has arguments that are no JSON object; give an object, or the text of one."
            ),
            BadJob.Chat(
                """[{"role":"user","content":"Hi"},{"role":"assistant","content":"x","tool_calls":[{"function":{"name":"f"}}]}]""",
                $"messages: {Template} makes the same prompt of this chat without the assistant's calls of tools:"
            ),
            BadJob.Chat("""[{"role":"tool"}]""", "messages[0].content is missing; give a text."),
            BadJob.Completion("\"tools\":[{}]", "tools is not supported. It is a field of /v1/chat/completions.") with
            {
                Message = null,
            },
        ];

    private static BadJob With(string field, string value, string says) =>
        BadJob.Chat("""[{"role":"user","content":"Hi"}]""", says, $",\"{field}\":{value}");

    private static IEnumerable<BadJob> Names() =>
        [
            BadJob.Whole("\"model\":7,\"prompt\":\"Story: Once\"", "model must be a string, but is 7."),
            BadJob.Whole($"\"model\":\"{new string('x', 257)}\",\"prompt\":\"Story: Once\"", "model has 257 characters; give at most 256."),
            BadJob.Of(
                "temperture",
                "1",
                "temperture is not known here; the nearest field is temperature. Correct the name, or leave it out."
            ),
            BadJob.Of("frobnicate", "1", "frobnicate is not known here, nor anything like it; known are model, max_tokens,") with
            {
                MessageSays = "frobnicate is not known here, nor anything like it; known are jobId, batchId,",
            },
            BadJob.Of("Once upon a time", "1", "The message has a field that nobody knows, with a name that is none; leave it out."),
            BadJob.Completion("\"temperature\":1,\"temperature\":0", "temperature is given twice; give it once."),
        ];

    private static IEnumerable<BadJob> Formats() =>
        [
            BadJob.Of("response_format", "{\"type\":\"xml\"}", "response_format has the type \"xml\"; give {\"type\": \"json_schema\","),
            BadJob.Of("response_format", "\"json_object\"", "response_format must be an object with a type, but is a string."),
            BadJob.Of("response_format", "{\"type\":\"json_schema\"}", "response_format has no json_schema; give"),
            BadJob.Of(
                "response_format",
                """{"type":"json_schema","json_schema":{"schema":{"type":"object","properties":{"a":{"type":"string","format":"iri"}}}}}""",
                "response_format can't be used: #/properties/a/format is no format that is supported; supported are date,"
            ),
            BadJob.Of("guided_json", "{\"allOf\":[{},{}]}", "guided_json can't be used: #/allOf has several schemas"),
            BadJob.Of("guided_json", "[]", "guided_json must be a schema: an object, or the text of one, but is a list."),
            BadJob.Of("guided_regex", "\"(a\"", "guided_regex can't be used: character 3 has a '(' that is not closed; add ')'."),
            BadJob.Of("guided_regex", "7", "guided_regex must be a string, but is 7."),
            BadJob.Of("guided_choice", "[]", "guided_choice has 0 texts; give 1 to 1024."),
            BadJob.Of("guided_choice", "[1]", "guided_choice[0] must be a string, but is 1."),
            BadJob.Completion(
                "\"guided_regex\":\"a\",\"guided_choice\":[\"a\"]",
                "guided_choice is given beside guided_regex; give one of them."
            ),
            BadJob.Completion(
                "\"guided_regex\":\"a\",\"ignore_eos\":true",
                "ignore_eos is true, but guided_regex is given: such an output"
            ),
        ];

    /// <summary>Fields of OpenAI's interface that are not a job's.</summary>
    private static IEnumerable<BadJob> OnlyInLines() =>
        new[]
        {
            ("echo", "true", "echo is true, which is not supported; only false is."),
            ("best_of", "2", "best_of is 2, which is not supported; only 1 is."),
            ("suffix", "\"x\"", "suffix is \"x\", which is not supported; only an empty one is."),
            ("stream", "true", "stream is true, which is not supported; only false is."),
            ("messages", "[]", "messages is not supported. It is a field of /v1/chat/completions; give prompt."),
            ("custom_id", "\"x\"", "custom_id is not supported. It belongs beside body, not into it."),
            ("max_completion_tokens", "0", "max_tokens is 0; give at least 1, or leave it out."),
        }.Select(mistake => BadJob.Of(mistake.Item1, mistake.Item2, mistake.Item3) with { Message = null });

    private static BadJob Prompt(string prompt, string says) => BadJob.Whole($"\"model\":\"dsde-demo\",\"prompt\":{prompt}", says);
}
