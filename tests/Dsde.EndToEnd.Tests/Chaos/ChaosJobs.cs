using System.Text.Json;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>
/// Jobs whose texts don't depend on who runs them when: coupled sampling (the default) with seeds. Short and long ones, some with two
/// outputs, some of the high lane, a third of them for the second model.
/// </summary>
internal static class ChaosJobs
{
    /// <summary>The models they ask for, each with the settings of who runs it.</summary>
    public static readonly IReadOnlyDictionary<string, (string Name, string Value)[]> Models = new Dictionary<
        string,
        (string Name, string Value)[]
    >
    {
        ["dsde-demo"] = [],
        [Small] =
        [
            ("Dsde__Worker__Models__0", Small),
            ("Dsde__Engine__Target", Repository.PathOf("models", "dsde-demo-draft")),
            ("Dsde__Engine__Draft", ""),
        ],
    };

    /// <summary>The second model: another one, so that a job on the wrong worker has the wrong text.</summary>
    public const string Small = "dsde-small";

    private const int LongTokens = 600;

    private static readonly string[] Prompts =
    [
        "Story: Once there were {0} foxes",
        "Question: Hugo has {0} marbles and finds 2 marbles. How many marbles does Hugo have now?\nAnswer:",
        "# Python: a function that finds marble {0} with a given price.\ndef find_marble(marbles, price):\n",
        "Record type: order\nDescription: an order of {0} cups for Milo Tanaka in Athens\nJSON:\n",
    ];

    /// <summary>Writes a job file; its path.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="first">Number of the first job.</param>
    /// <param name="count">How many numbers there are.</param>
    /// <param name="model">The model whose jobs are written; null for all.</param>
    public static string Write(string folder, string name, int first, int count, string? model = null)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllLines(path, Enumerable.Range(first, count).Where(number => model is null || ModelOf(number) == model).Select(ToLine));
        return path;
    }

    /// <summary>Writes a job file with so many jobs of the first model; its path.</summary>
    public static string WriteOfOneModel(string folder, string name, int count)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllLines(path, Enumerable.Range(0, int.MaxValue).Where(number => ModelOf(number) != Small).Take(count).Select(ToLine));
        return path;
    }

    /// <summary>A job as any producer sends it.</summary>
    public static string ToMessage(int number, string batchId, int batchJobCount) =>
        JsonSerializer.Serialize(
            new
            {
                jobId = Guid.NewGuid(),
                batchId,
                batchJobCount,
                customId = $"chaos-{number}",
                model = ModelOf(number),
                prompt = PromptOf(number),
                maxTokens = TokensOf(number),
                ignoreEos = IsLong(number),
                temperature = TemperatureOf(number),
                seed = number,
                choiceCount = ChoicesOf(number),
                priority = PriorityOf(number),
            }
        );

    private static string ToLine(int number) =>
        JsonSerializer.Serialize(
            new
            {
                custom_id = $"chaos-{number}",
                method = "POST",
                url = "/v1/completions",
                body = new
                {
                    model = ModelOf(number),
                    prompt = PromptOf(number),
                    max_tokens = TokensOf(number),
                    ignore_eos = IsLong(number),
                    temperature = TemperatureOf(number),
                    seed = number,
                    n = ChoicesOf(number),
                    priority = PriorityOf(number),
                },
            }
        );

    private static string ModelOf(int number) => number % 3 == 2 ? Small : "dsde-demo";

    private static string PromptOf(int number) =>
        string.Format(System.Globalization.CultureInfo.InvariantCulture, Prompts[number % Prompts.Length], number + 2);

    private static bool IsLong(int number) => number % 13 == 5;

    private static int TokensOf(int number) => IsLong(number) ? LongTokens : 16 + (number * 7 % 49);

    private static double TemperatureOf(int number) => number % 2 == 0 ? 0.8 : 1;

    private static int ChoicesOf(int number) => number % 10 == 3 ? 2 : 1;

    private static int PriorityOf(int number) => number % 4 == 1 ? 5 : 0;
}
