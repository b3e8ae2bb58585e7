using System.Text.Json;
using Dsde.Batches.Files.Writing;
using Dsde.Contracts;

namespace Dsde.Batches.Tests.Files;

public sealed class ResultLineTests
{
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
    public void A_chat_lists_the_most_probable_tokens_beside_each_token()
    {
        var content = Write(isChat: true, WithTop())[0].GetProperty("logprobs").GetProperty("content");

        content[1].GetProperty("token").GetString().ShouldBe("token_id:7");
        content[1]
            .GetProperty("top_logprobs")
            .EnumerateArray()
            .Select(token => (token.GetProperty("token").GetString(), token.GetProperty("logprob").GetDouble()))
            .ShouldBe([("token_id:7", -0.25), ("token_id:5", -2)]);
    }

    [Fact]
    public void A_completion_has_a_list_of_the_most_probable_tokens()
    {
        var lists = Write(isChat: false, WithTop())[0].GetProperty("logprobs");

        lists.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()).ShouldBe(["token_id:5", "token_id:7"]);
        lists.GetProperty("top_logprobs")[0].GetProperty("token_id:6").GetDouble().ShouldBe(-1.5);
        lists.GetProperty("top_logprobs").GetArrayLength().ShouldBe(2);
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
                SamplingMode = "greedy",
                Seed = 0,
                Iterations = 1,
                Proposed = 0,
                Accepted = 0,
                BlockEfficiency = 1,
            },
            CompletedAt = DateTimeOffset.UnixEpoch,
        };
}
