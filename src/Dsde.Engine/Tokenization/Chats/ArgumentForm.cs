namespace Dsde.Engine.Tokenization.Chats;

/// <summary>How a template takes the arguments of a call.</summary>
internal enum ArgumentForm
{
    /// <summary>As an object, as transformers has it.</summary>
    Object,

    /// <summary>As the text of one: templates that write it as it is.</summary>
    Text,
}
