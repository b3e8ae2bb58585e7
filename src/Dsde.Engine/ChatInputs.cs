using System.Collections.ObjectModel;
using System.Text.Json;

namespace Dsde.Engine;

/// <summary>What a chat's template is given besides the turns.</summary>
public sealed record ChatInputs
{
    /// <summary>Nothing.</summary>
    public static readonly ChatInputs None = new();

    /// <summary>Tools that the model may call, each an object.</summary>
    public IReadOnlyList<JsonElement> Tools { get; init; } = [];

    /// <summary>Texts that the chat is about, each an object.</summary>
    public IReadOnlyList<JsonElement> Documents { get; init; } = [];

    /// <summary>Further variables, by name: those that the template reads.</summary>
    public IReadOnlyDictionary<string, JsonElement> Variables { get; init; } = ReadOnlyDictionary<string, JsonElement>.Empty;
}
