namespace Dsde.Templates;

/// <summary>What a template does with the content of messages.</summary>
public enum ContentUse
{
    /// <summary>It takes content for text.</summary>
    Text,

    /// <summary>It goes through content as a list of parts, and takes nothing else.</summary>
    Parts,

    /// <summary>It goes through parts, and asks first whether content is text.</summary>
    TextOrParts,
}
