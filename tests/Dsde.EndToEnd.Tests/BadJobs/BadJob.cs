using System.Text.RegularExpressions;
using Dsde.Contracts;

namespace Dsde.EndToEnd.Tests.BadJobs;

/// <summary>One thing that can be wrong with a job.</summary>
/// <param name="Line">The fields of a line's body, without braces.</param>
/// <param name="Message">The same fields in a message; null if messages can't have that mistake.</param>
/// <param name="Says">How the error line begins: the field, the value and what is allowed.</param>
internal sealed partial record BadJob(string Line, string? Message, string Says)
{
    private static readonly string[] Renamed =
    [
        .. typeof(SubmitGenerationJob)
            .GetProperties()
            .Concat(typeof(ChatMessage).GetProperties())
            .Select(property => property.Name)
            .Where(name => JobFieldNames.InBatchFiles(name) != JobFieldNames.InMessages(name)),
    ];

    /// <summary>Whether the line's body is a chat's.</summary>
    public bool IsChat { get; init; }

    /// <summary>How the message's failure begins where the two formats allow different things; null if the words are the same.</summary>
    public string? MessageSays { get; init; }

    /// <summary>A completion with one field more.</summary>
    public static BadJob Of(string field, string value, string says) => Completion($"\"{field}\":{value}", says);

    /// <summary>A completion with some fields more.</summary>
    public static BadJob Completion(string fields, string says) =>
        Whole($"\"model\":\"dsde-demo\",\"prompt\":\"Story: Once\",{fields}", says);

    /// <summary>A completion with these fields alone.</summary>
    public static BadJob Whole(string fields, string says) =>
        new(
            fields,
            FieldName()
                .Replace(
                    fields,
                    match =>
                        Array.Find(Renamed, property => JobFieldNames.InBatchFiles(property) == match.Groups[1].Value) is { } property
                            ? $"\"{JobFieldNames.InMessages(property)}\":"
                            : match.Value
                ),
            says
        );

    /// <summary>A chat with these messages.</summary>
    public static BadJob Chat(string messages, string says, string more = "") =>
        Whole($"\"model\":\"dsde-demo\",\"messages\":{messages}{more}", says) with
        {
            IsChat = true,
        };

    /// <summary>What is said about a line as it is said about a message.</summary>
    public static string InWordsOfMessages(string said) =>
        Renamed.Aggregate(
            said,
            (text, property) =>
                Regex.Replace(text, $@"(?<![\w'""]){JobFieldNames.InBatchFiles(property)}\b", JobFieldNames.InMessages(property))
        );

    [GeneratedRegex("\"([a-z_]+)\":")]
    private static partial Regex FieldName();
}
