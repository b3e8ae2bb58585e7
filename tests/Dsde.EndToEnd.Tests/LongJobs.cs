using System.Text.Json;
using Dsde.Pipeline.Telemetry;

namespace Dsde.EndToEnd.Tests;

/// <summary>
/// A job file whose jobs take long enough for something to happen to a worker while it runs them, however fast the engine is.
/// </summary>
internal static class LongJobs
{
    public const int Count = 40;

    private const int TokensEach = 700;

    /// <summary>Writes the file into a folder; its path.</summary>
    public static string Write(string folder) => Write(folder, choices: 1);

    /// <summary>The same with jobs of several outputs, which take that many times as long.</summary>
    public static string Write(string folder, int choices)
    {
        var path = Path.Combine(folder, "long.jsonl");
        File.WriteAllLines(
            path,
            Enumerable
                .Range(0, Count)
                .Select(number =>
                    JsonSerializer.Serialize(
                        new
                        {
                            custom_id = $"long-{number}",
                            method = "POST",
                            url = "/v1/completions",
                            body = new
                            {
                                model = "dsde-demo",
                                prompt = $"Story: Once there were {number + 2} foxes",
                                max_tokens = TokensEach,
                                n = choices,
                                temperature = 1,
                                seed = number,
                                ignore_eos = true,
                            },
                        }
                    )
                )
        );
        return path;
    }
}
