using System.Security.Cryptography;
using System.Text.Json;
using Dsde.Analytics.Positions;
using Dsde.Contracts;
using Dsde.Persistence.Analysis;
using Dsde.Persistence.Jobs;

namespace Dsde.Analytics.Comparing;

/// <summary>One of the two that are compared.</summary>
internal sealed class ComparedSide
{
    private readonly List<(string? Key, TraceSummary Trace)> _outputs = [];

    private ComparedSide(string name) => Name = name;

    /// <summary>What people call it.</summary>
    public string Name { get; }

    /// <summary>Its outputs, with what a prompt is known by; null if nothing tells.</summary>
    public IReadOnlyList<(string? Key, TraceSummary Trace)> Outputs => _outputs;

    /// <summary>The policies that ran, in the order of their names.</summary>
    public IReadOnlyList<string> Policies => [.. _outputs.Select(output => output.Trace.Policy).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Reads one.</summary>
    /// <exception cref="AnalyticsException">It has no output.</exception>
    public static async Task<ComparedSide> ReadAsync(
        string name,
        ITraceReader reader,
        TraceFilter filter,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(reader);
        var side = new ComparedSide(name);
        await foreach (var stored in reader.ReadAsync(filter, cancellationToken))
        {
            side._outputs.Add((KeyOf(stored), TraceSummary.Of(stored.Trace)));
        }

        return side._outputs.Count > 0
            ? side
            : throw new AnalyticsException($"No output of a completed job is like '{name}'. Give another batch, policy, workload or time.");
    }

    /// <summary>
    /// The prompt and which of its outputs; where the prompt is not stored, the submitter's name for the job. Null without either.
    /// </summary>
    private static string? KeyOf(StoredTrace stored)
    {
        var request = PositionConversion.RequestOf(stored);
        var prompt = request switch
        {
            { Prompt: { } prompts } => prompts.Text ?? JsonSerializer.Serialize(prompts),
            { Messages: { Count: > 0 } } => DigestOf(request),
            _ => null,
        };
        return prompt is not null ? $"prompt {stored.Choice} {prompt}"
            : stored.CustomId is { } name ? $"name {stored.Choice} {name}"
            : null;
    }

    private static string DigestOf(SubmitGenerationJob request) =>
        Convert.ToHexString(
            SHA256.HashData(
                JsonSerializer.SerializeToUtf8Bytes(
                    new
                    {
                        request.Messages,
                        request.Tools,
                        request.Documents,
                        request.ChatTemplateKwargs,
                    }
                )
            )
        );
}
