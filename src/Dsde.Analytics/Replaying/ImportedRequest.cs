using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsde.Analytics.Replaying;

/// <summary>A line of a neutral trace: a request, and whether the draft is right at each of its tokens.</summary>
internal sealed record ImportedRequest
{
    /// <summary>What people know it by.</summary>
    public string? Id { get; init; }

    /// <summary>The kind of request.</summary>
    public string? Workload { get; init; }

    /// <summary>Sampling temperature; 0, which is greedy, if it is not given.</summary>
    public float Temperature { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Tokens at which it would have been ended; its own number if it is not given.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>
    /// Per token: 1 if the draft's token, given the true prefix, is the target's, 0 if not, null if nobody knows. The first token is the
    /// prompt pass's, and its value is never asked for.
    /// </summary>
    public IReadOnlyList<int?>? Accepted { get; init; }

    /// <summary>Per token: expected acceptance. Without <see cref="Accepted"/> it is the chance of it.</summary>
    public IReadOnlyList<float?>? Beta { get; init; }

    /// <summary>Per token: KLD, nats.</summary>
    public IReadOnlyList<float?>? Kld { get; init; }

    /// <summary>Per token: draft entropy, nats.</summary>
    public IReadOnlyList<float?>? DraftEntropy { get; init; }
}

/// <summary>Reads them.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ImportedRequest))]
internal sealed partial class ImportedRequestJson : JsonSerializerContext;
