using System.Text.Json;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>
/// Jobs whose texts don't depend on who runs them when: coupled sampling (the default) with seeds. Short and long ones, some with two
/// outputs, some of the high lane.
/// </summary>
internal static class ChaosJobs
{
    /// <summary>What they ask for, in turn.</summary>
    public static readonly IReadOnlyList<string> Models = ["dsde-demo"];

    private const int LongTokens = 600;

    private static readonly string[] Prompts =
    [
        "Story: Once there were {0} foxes",
        "Question: Hugo has {0} marbles and finds 2 marbles. How many marbles does Hugo have now?\nAnswer:",
        "# Python: a function that finds marble {0} with a given price.\ndef find_marble(marbles, price):\n",
        "Record type: order\nDescription: an order of {0} cups for Milo Tanaka in Athens\nJSON:\n",
    ];

    /// <summary>Writes a job file; its path.</summary>
    public static string Write(string folder, string name, int first, int count)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllLines(path, Enumerable.Range(first, count).Select(ToLine));
        return path;
    }

    private static string ToLine(int number)
    {
        var isLong = number % 13 == 5;
        return JsonSerializer.Serialize(
            new
            {
                custom_id = $"chaos-{number}",
                method = "POST",
                url = "/v1/completions",
                body = new
                {
                    model = "dsde-demo",
                    prompt = string.Format(System.Globalization.CultureInfo.InvariantCulture, Prompts[number % Prompts.Length], number + 2),
                    max_tokens = isLong ? LongTokens : 16 + (number * 7 % 49),
                    ignore_eos = isLong,
                    temperature = number % 2 == 0 ? 0.8 : 1,
                    seed = number,
                    n = number % 10 == 3 ? 2 : 1,
                    priority = number % 4 == 1 ? 5 : 0,
                },
            }
        );
    }
}
