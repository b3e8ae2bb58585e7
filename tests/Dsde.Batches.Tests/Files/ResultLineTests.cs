using System.Text;
using System.Text.Json;
using Dsde.Batches.Files.Writing;
using Dsde.Contracts;

namespace Dsde.Batches.Tests.Files;

public sealed class ResultLineTests
{
    /// <summary>A character of two bytes over two tokens, and what may go wrong with names.</summary>
    private static readonly IReadOnlyList<TokenBytes> Bytes =
    [
        Token(1, [.. "h"u8, 0xC3]),
        Token(2, [0xA4, .. "s\\"u8]),
        Token(3, "🙂"u8.ToArray()),
        Token(4, " Wort"u8.ToArray()),
        Token(5, " Wort"u8.ToArray()),
        Token(6, "</s>"u8.ToArray(), isSpecial: true),
    ];

    private static readonly IReadOnlyList<IReadOnlyList<TopLogProbability>> Top =
    [
        [new() { TokenId = 5, LogProbability = -0.5 }, new() { TokenId = 6, LogProbability = -1.5 }],
        [new() { TokenId = 7, LogProbability = -0.25 }, new() { TokenId = 5, LogProbability = -2 }],
    ];

    [Fact]
    public void Every_output_is_a_choice()
    {
        var choices = Write(
            isChat: true,
            Completed() with
            {
                Choices =
                [
                    .. Enumerable
                        .Range(0, 3)
                        .Select(index => new GenerationChoice
                        {
                            Index = index,
                            PromptIndex = 0,
                            Text = $"text {index}",
                            FinishReason = index == 2 ? "length" : "stop",
                            CompletionTokens = 2,
                            Seed = index,
                        }),
                ],
            }
        );

        choices.Select(choice => choice.GetProperty("index").GetInt32()).ShouldBe([0, 1, 2]);
        choices.Select(choice => choice.GetProperty("message").GetProperty("content").GetString()).ShouldBe(["text 0", "text 1", "text 2"]);
        choices[2].GetProperty("finish_reason").GetString().ShouldBe("length");
    }

    [Fact]
    public void A_chat_lists_the_most_probable_tokens_beside_each_token_and_names_them_by_id_where_only_ids_are_known()
    {
        var content = Write(isChat: true, WithTop())[0].GetProperty("logprobs").GetProperty("content");

        content[1].GetProperty("token").GetString().ShouldBe("token_id:7");
        content[1].GetProperty("bytes").ValueKind.ShouldBe(JsonValueKind.Null);
        content[1]
            .GetProperty("top_logprobs")
            .EnumerateArray()
            .Select(token => (token.GetProperty("token").GetString(), token.GetProperty("logprob").GetDouble()))
            .ShouldBe([("token_id:7", -0.25), ("token_id:5", -2)]);
    }

    [Fact]
    public void A_completion_has_a_list_of_the_most_probable_tokens_named_by_id_where_only_ids_are_known()
    {
        var lists = Write(isChat: false, WithTop())[0].GetProperty("logprobs");

        lists.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()).ShouldBe(["token_id:5", "token_id:7"]);
        lists.GetProperty("top_logprobs")[0].GetProperty("token_id:6").GetDouble().ShouldBe(-1.5);
        lists.GetProperty("top_logprobs").GetArrayLength().ShouldBe(2);
        lists.GetProperty("text_offset").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public void A_completion_has_the_chosen_token_among_the_most_probable_ones_even_if_it_is_none_of_them()
    {
        var job = WithTop() with { TokenIds = [5, 9], TokenLogProbabilities = [-0.5, -7] };

        var tops = Write(isChat: false, job)[0].GetProperty("logprobs").GetProperty("top_logprobs");

        tops[0].EnumerateObject().Select(token => token.Name).ShouldBe(["token_id:5", "token_id:6"]);
        tops[1]
            .EnumerateObject()
            .Select(token => (token.Name, token.Value.GetDouble()))
            .ShouldBe([("token_id:7", -0.25), ("token_id:5", -2), ("token_id:9", -7)]);
    }

    [Fact]
    public void Without_them_the_lists_are_null_and_a_chats_are_empty()
    {
        var job = Completed() with { TokenIds = [5, 7], TokenLogProbabilities = [-0.5, -0.25] };

        Write(isChat: false, job)[0].GetProperty("logprobs").GetProperty("top_logprobs").ValueKind.ShouldBe(JsonValueKind.Null);
        Write(isChat: true, job)[0]
            .GetProperty("logprobs")
            .GetProperty("content")[0]
            .GetProperty("top_logprobs")
            .GetArrayLength()
            .ShouldBe(0);
    }

    [Fact]
    public void A_chats_tokens_have_their_text_and_bytes_and_those_that_are_no_text_an_escaped_form()
    {
        var content = Write(isChat: true, WithBytes())[0].GetProperty("logprobs").GetProperty("content").EnumerateArray().ToList();

        content
            .Select(token => token.GetProperty("token").GetString())
            .ShouldBe([@"bytes:h\xc3", @"bytes:\xa4s\x5c", "🙂", "</s>", " Wort", "token_id:9"]);
        Numbers(content[0], "bytes").ShouldBe([0x68, 0xC3]);
        Numbers(content[3], "bytes").ShouldBe("</s>"u8.ToArray().Select(value => (int)value));
        content[5].GetProperty("bytes").ValueKind.ShouldBe(JsonValueKind.Null);
        var all = content.Take(3).SelectMany(token => Numbers(token, "bytes")).Select(value => (byte)value);
        Encoding.UTF8.GetString([.. all]).ShouldBe("häs\\🙂");
        var top = content[0].GetProperty("top_logprobs");
        top.EnumerateArray().Select(token => token.GetProperty("token").GetString()).ShouldBe([" Wort", " Wort"]);
        Numbers(top[1], "bytes").ShouldBe(" Wort"u8.ToArray().Select(value => (int)value));
    }

    [Fact]
    public void A_completions_tokens_have_their_text_and_their_offsets_in_characters_within_the_text()
    {
        var choice = Write(isChat: false, WithBytes())[0];
        var lists = choice.GetProperty("logprobs");

        lists
            .GetProperty("tokens")
            .EnumerateArray()
            .Select(token => token.GetString())
            .ShouldBe([@"bytes:h\xc3", @"bytes:\xa4s\x5c", "🙂", "</s>", " Wort", "token_id:9"]);
        Numbers(lists, "text_offset").ShouldBe([0, 1, 4, 5, 5, 7]); // the text ends within the last word, at a stop string
        lists
            .GetProperty("top_logprobs")[0]
            .EnumerateObject()
            .Select(token => (token.Name, token.Value.GetDouble()))
            .ShouldBe([(" Wort", -0.25), ("token_id:5", -2), (@"bytes:h\xc3", -1)]); // no name twice
    }

    private static GenerationJobCompleted WithBytes()
    {
        IReadOnlyList<TopLogProbability> top = [new() { TokenId = 4, LogProbability = -0.25 }, new() { TokenId = 5, LogProbability = -2 }];
        return Completed() with
        {
            Text = "häs\\🙂 W",
            TokenIds = [1, 2, 3, 6, 4, 9],
            TokenLogProbabilities = [-1, -1, -1, -1, -1, -1],
            TopLogProbabilities = [.. Enumerable.Repeat(top, 6)],
            TokenBytes = Bytes,
        };
    }

    private static TokenBytes Token(int id, byte[] bytes, bool isSpecial = false) =>
        new()
        {
            TokenId = id,
            Bytes = bytes,
            IsSpecial = isSpecial,
        };

    private static IEnumerable<int> Numbers(JsonElement parent, string name) =>
        parent.GetProperty(name).EnumerateArray().Select(number => number.GetInt32());

    private static GenerationJobCompleted WithTop() =>
        Completed() with
        {
            TokenIds = [5, 7],
            TokenLogProbabilities = [-0.5, -0.25],
            TopLogProbabilities = Top,
        };

    private static List<JsonElement> Write(bool isChat, GenerationJobCompleted job)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            ResultLine.Write(json, new LineOrigin(job.JobId, 1, "a", []), isChat, job);
        }

        return
        [
            .. JsonDocument
                .Parse(stream.ToArray())
                .RootElement.GetProperty("response")
                .GetProperty("body")
                .GetProperty("choices")
                .EnumerateArray(),
        ];
    }

    private static GenerationJobCompleted Completed() =>
        new()
        {
            JobId = Guid.Empty,
            Model = "m",
            Text = "text",
            FinishReason = "stop",
            Usage = new GenerationUsage { PromptTokens = 1, CompletionTokens = 2 },
            Timings = new GenerationTimings
            {
                WaitingMs = 0,
                PrefillMs = 0,
                DraftMs = 0,
                VerifyMs = 0,
                SamplingMs = 0,
                TotalMs = 0,
            },
            Speculation = new SpeculationSummary
            {
                Policy = "dsde",
                Proposer = "draft",
                SamplingMode = "greedy",
                Seed = 0,
                Iterations = 1,
                SpeculatingIterations = 0,
                Proposed = 0,
                Accepted = 0,
                BlockEfficiency = 1,
            },
            CompletedAt = DateTimeOffset.UnixEpoch,
        };
}
