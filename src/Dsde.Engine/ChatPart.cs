namespace Dsde.Engine;

/// <summary>What a chat is made of, besides the model's template.</summary>
public enum ChatPart
{
    /// <summary>The turns, with what is in them.</summary>
    Turns,

    /// <summary>The tools.</summary>
    Tools,

    /// <summary>The documents.</summary>
    Documents,

    /// <summary>The template's own variables.</summary>
    Variables,
}
