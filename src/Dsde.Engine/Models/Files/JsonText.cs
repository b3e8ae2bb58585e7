using System.Text.Json;
using System.Text.Unicode;

namespace Dsde.Engine.Models.Files;

/// <summary>
/// Text in JSON. The parser takes broken text as it comes, and it would fail, with another exception, when somebody reads it.
/// </summary>
internal static class JsonText
{
    /// <summary>Whether all of it is UTF-8, and no escape stands for half a character.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static bool IsReadable(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
        {
            return false;
        }

        var reader = new Utf8JsonReader(json);
        try
        {
            while (reader.Read())
            {
                if (reader.ValueIsEscaped)
                {
                    reader.GetString();
                }
            }
        }
        catch (InvalidOperationException)
        {
            return false;
        }

        return true;
    }
}
