using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dsde.ModelForge.Corpus;

namespace Dsde.ModelForge;

/// <summary>
/// A job file of held-out prompts in the OpenAI batch format: all workloads, chats and plain prompts, greedy and sampled.
/// </summary>
internal static class SampleFile
{
    private const int JobCount = 75;
    private static readonly double[] Temperatures = [0, 0.7, 0, 1, 0];
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the file; the same for the same seed.</summary>
    public static void Write(string path, int seed)
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder)
        {
            Directory.CreateDirectory(folder);
        }

        var corpus = new CorpusStream(seed + 1000, Split.HeldOut);
        File.WriteAllLines(path, Enumerable.Range(0, JobCount).Select(number => Line(number, corpus.At(number)).ToJsonString(Json)));
    }

    private static JsonObject Line(int number, Document document)
    {
        var round = number / CorpusStream.Workloads.Count;
        var temperature = Temperatures[(number + round) % Temperatures.Length];
        var body = new JsonObject { ["model"] = "dsde-demo" };
        if (document.IsChat)
        {
            body["messages"] = new JsonArray([
                .. document.Turns.Select(
                    (turn, i) => (JsonNode)new JsonObject { ["role"] = i % 2 == 0 ? "user" : "assistant", ["content"] = turn }
                ),
            ]);
        }
        else
        {
            body["prompt"] = document.Turns[0];
        }

        body["max_tokens"] = MaxTokens(document.Workload, round);
        body["temperature"] = temperature;
        if (temperature > 0)
        {
            body["seed"] = 100 + number;
            body["top_p"] = 0.95;
        }

        if (document.Workload == Questions.Name && !document.IsChat)
        {
            body["stop"] = new JsonArray("\n");
        }

        body["metadata"] = new JsonObject { ["workload"] = document.Workload };
        return new JsonObject
        {
            ["custom_id"] = $"{document.Workload}-{round + 1:D2}",
            ["method"] = "POST",
            ["url"] = document.IsChat ? "/v1/chat/completions" : "/v1/completions",
            ["body"] = body,
        };
    }

    private static int MaxTokens(string workload, int round) =>
        workload switch
        {
            Stories.Name => 64 + (round % 4 * 40),
            Questions.Name => 48 + (round % 2 * 32),
            Records.Name => 160,
            _ => 96 + (round % 3 * 24),
        };
}
