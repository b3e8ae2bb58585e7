using System.Globalization;
using System.Text.Json.Nodes;

namespace Dsde.Experiments;

/// <summary>The jobs at another temperature, with plain sampling: the paper truncates nothing.</summary>
internal static class JobFiles
{
    private static readonly string[] Truncations =
    [
        "top_p",
        "top_k",
        "min_p",
        "repetition_penalty",
        "frequency_penalty",
        "presence_penalty",
    ];

    /// <summary>Writes a file and returns its path. Every job gets a seed, so that runs of a policy are alike.</summary>
    public static async Task<string> WriteAsync(ExperimentSettings settings, double temperature, CancellationToken cancellationToken)
    {
        var path = Path.Combine(settings.Folder, $"jobs-t{temperature.ToString(CultureInfo.InvariantCulture)}.jsonl");
        var number = 0;
        var lines = new List<string>();
        await foreach (var line in File.ReadLinesAsync(settings.Jobs, cancellationToken))
        {
            if (JsonNode.Parse(line) is JsonObject job && job["body"] is JsonObject body)
            {
                number++;
                body["temperature"] = temperature;
                body["seed"] ??= number;
                foreach (var truncation in Truncations)
                {
                    body.Remove(truncation);
                }

                lines.Add(job.ToJsonString());
            }
        }

        Directory.CreateDirectory(settings.Folder);
        await File.WriteAllLinesAsync(path, lines, cancellationToken);
        return path;
    }
}
