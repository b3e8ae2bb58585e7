namespace Dsde.Grammars;

/// <summary>What an output is held to.</summary>
public enum GrammarKind
{
    /// <summary>JSON that a schema describes; the text is the schema, in JSON.</summary>
    JsonSchema,

    /// <summary>A JSON object of any content; without a text.</summary>
    JsonObject,

    /// <summary>A regular expression that all of the output has to match; the text is the expression.</summary>
    Regex,

    /// <summary>One of several texts; the text is their list, in JSON.</summary>
    Choice,
}
