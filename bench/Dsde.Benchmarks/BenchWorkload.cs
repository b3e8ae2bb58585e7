using Dsde.Engine;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Benchmarks;

/// <summary>Requests that are measured together.</summary>
/// <param name="Name">The label of the jobs, or <see cref="Mixed"/>.</param>
/// <param name="Requests">At least one.</param>
internal sealed record BenchWorkload(string Name, IReadOnlyList<GenerationRequest> Requests)
{
    /// <summary>Name of all jobs together.</summary>
    public const string Mixed = "mixed";

    /// <summary>The same requests at another temperature, token limit or policy, as the settings and the arguments say.</summary>
    public BenchWorkload With(double? temperature, BenchSettings settings) =>
        this with
        {
            Requests =
            [
                .. Requests.Select(request =>
                    request with
                    {
                        Sampling = temperature is { } given ? request.Sampling with { Temperature = (float)given } : request.Sampling,
                        MaxTokens = Math.Min(request.MaxTokens, settings.MaxTokens ?? int.MaxValue),
                        IgnoreEos = settings.IgnoresEnds || request.IgnoreEos,
                        StopStrings = settings.IgnoresEnds ? [] : request.StopStrings,
                        StopTokenIds = settings.IgnoresEnds ? [] : request.StopTokenIds,
                    }
                ),
            ],
        };

    /// <summary>One per label, in order of their names, then all together; only those wanted.</summary>
    public static IReadOnlyList<BenchWorkload> Group(
        IEnumerable<(string Label, GenerationRequest Request)> requests,
        IReadOnlyList<string>? wanted
    )
    {
        var all = requests.ToList();
        var byLabel = all.GroupBy(pair => pair.Label, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => new BenchWorkload(group.Key, [.. group.Select(pair => pair.Request)]))
            .ToList();
        var groups = byLabel.Count == 1 ? byLabel : [.. byLabel, new BenchWorkload(Mixed, [.. all.Select(pair => pair.Request)])];
        return wanted is null ? groups : [.. groups.Where(group => wanted.Contains(group.Name, StringComparer.Ordinal))];
    }
}
