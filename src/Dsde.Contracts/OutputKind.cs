namespace Dsde.Contracts;

/// <summary>What outputs are held to.</summary>
public enum OutputKind
{
    /// <summary>JSON of a schema.</summary>
    JsonSchema,

    /// <summary>A JSON object.</summary>
    JsonObject,

    /// <summary>A regular expression.</summary>
    Regex,

    /// <summary>One of several texts.</summary>
    Choice,
}
