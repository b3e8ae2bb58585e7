using System.Text.Json;
using Json.Schema;

namespace Dsde.Grammars.Tests;

/// <summary>JsonSchema.Net, which knows nothing of this project.</summary>
internal static class Validator
{
    private static readonly EvaluationOptions Options = new() { OutputFormat = OutputFormat.List, RequireFormatValidation = true };

    /// <summary>What is wrong with an output; null if nothing is.</summary>
    public static string? FindMistake(string schema, string output)
    {
        using var document = JsonDocument.Parse(output);
        var results = JsonSchema.FromText(schema, new BuildOptions { SchemaRegistry = new() }).Evaluate(document.RootElement, Options);
        return results.IsValid
            ? null
            : string.Join(
                "; ",
                (results.Details ?? []).SelectMany(detail => detail.Errors ?? []).Select(error => $"{error.Key}: {error.Value}")
            );
    }
}
