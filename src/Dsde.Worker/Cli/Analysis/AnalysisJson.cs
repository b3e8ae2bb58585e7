using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsde.Worker.Cli.Analysis;

/// <summary>How the analyses' results are written for programs.</summary>
internal static class AnalysisJson
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes a result.</summary>
    public static string Write<T>(T result) => JsonSerializer.Serialize(result, Options);
}
