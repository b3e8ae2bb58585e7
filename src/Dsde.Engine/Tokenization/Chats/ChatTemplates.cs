namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// The known templates. Each recognises its own: by the whole program where it is short, by fragments that tell it from its relatives where
/// it is long.
/// </summary>
internal static class ChatTemplates
{
    /// <summary>Names of all, for messages.</summary>
    public const string Known = "ChatML as in Qwen2 and Qwen2.5, Qwen3, Llama 2, Llama 3, Mistral and Gemma";

    private static readonly Func<TemplateText, IChatTemplate?>[] Readers =
    [
        ChatMlTemplate.TryRead,
        Qwen3Template.TryRead,
        Llama3Template.TryRead,
        Llama2Template.TryRead,
        MistralTemplate.TryRead,
        GemmaTemplate.TryRead,
    ];

    /// <summary>The template that a text is; null if it is none of the known.</summary>
    public static IChatTemplate? TryRead(TemplateText text) =>
        Readers.Select(read => read(text)).FirstOrDefault(template => template is not null);
}
