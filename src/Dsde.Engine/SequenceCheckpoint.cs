using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Dsde.Engine.Telemetry;

namespace Dsde.Engine;

/// <summary>
/// An unfinished output between two iterations, to be continued later, in this engine or another
/// (<see cref="GenerationRequest.ResumeFrom"/>). Keys and values are not part of it: prompt and committed tokens are worked through again.
/// Neither are generators, because random draws are keyed by seed and position. Serialises with System.Text.Json as it is.
/// </summary>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record SequenceCheckpoint
{
    /// <summary>The version that is written. Readers refuse others; it changes when a member's meaning does.</summary>
    public const int CurrentVersion = 5;

    /// <summary>Version of this record's form.</summary>
    public required int Version { get; init; }

    /// <summary>Tells whether a prompt is the one this belongs to, see <see cref="DigestOf"/>.</summary>
    public required string PromptDigest { get; init; }

    /// <summary>Committed tokens.</summary>
    public required int[] TokenIds { get; init; }

    /// <summary>Log-probability of each under the target, in nats.</summary>
    public required float[] TokenLogProbabilities { get; init; }

    /// <summary>Most probable tokens at the position of each, best first; empty if the request asks for none.</summary>
    public IReadOnlyList<IReadOnlyList<TokenLogProbability>> TopLogProbabilities { get; init; } = [];

    /// <summary>Positions the draft had seen; it catches up from there, as it would have.</summary>
    public required int DraftLength { get; init; }

    /// <summary>
    /// What the policy knew of the sequence, in numbers that only it can read; it is used by a policy of the same name only.
    /// </summary>
    public required double[] PolicyState { get; init; }

    /// <summary>How its proposals were accepted, in numbers that only the cost guard can read.</summary>
    public required double[] Acceptance { get; init; }

    /// <summary>The telemetry so far; that of the continued request includes it. Also names the policy and the seed.</summary>
    public required GenerationTrace Trace { get; init; }

    /// <summary>SHA-256 of a prompt's token ids (32-bit, little-endian), in hexadecimal.</summary>
    public static string DigestOf(IReadOnlyList<int> promptTokenIds)
    {
        ArgumentNullException.ThrowIfNull(promptTokenIds);
        return Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(promptTokenIds.ToArray().AsSpan())));
    }
}
