using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.Engine;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>A job's chat as the engine takes it.</summary>
internal static class ChatConversion
{
    /// <summary>A turn.</summary>
    public static ChatTurn ToTurn(ChatMessage message) =>
        new(message.Role, message.Content)
        {
            ReasoningContent = message.ReasoningContent,
            Name = message.Name,
            ToolCalls = message.ToolCalls,
            ToolCallId = message.ToolCallId,
        };

    /// <summary>What the template is given besides.</summary>
    public static ChatInputs ToInputs(SubmitGenerationJob job) =>
        new()
        {
            Tools = job.Tools ?? [],
            Documents = job.Documents ?? [],
            Variables = job.ChatTemplateKwargs ?? ChatInputs.None.Variables,
        };

    /// <summary>Length of all that a chat says, in UTF-16 code units and in bytes of UTF-8; of JSON as it was written.</summary>
    public static (long Length, long Bytes) Measure(SubmitGenerationJob job)
    {
        var texts = (job.Messages ?? [])
            .SelectMany(message => (string?[])[message.Content, message.ReasoningContent])
            .OfType<string>()
            .ToList();
        var json = (job.Messages ?? [])
            .SelectMany(message => message.ToolCalls ?? [])
            .Concat(job.Tools ?? [])
            .Concat(job.Documents ?? [])
            .Concat(job.ChatTemplateKwargs?.Values ?? [])
            .Sum(value => (long)JsonMarshal.GetRawUtf8Value(value).Length);
        return (texts.Sum(text => (long)text.Length) + json, texts.Sum(text => (long)Encoding.UTF8.GetByteCount(text)) + json);
    }
}
