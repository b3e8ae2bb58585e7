using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dsde.ModelForge.Folders;

/// <summary>Readable JSON files.</summary>
internal static class JsonFiles
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Write(string path, JsonNode content) => File.WriteAllText(path, content.ToJsonString(Indented) + "\n");
}
