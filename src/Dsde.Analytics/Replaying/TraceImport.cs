using System.Text.Json;
using Dsde.Analytics.Costs;
using Dsde.Analytics.Positions;
using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Replaying;

/// <summary>Reads traces in the neutral form (docs/analytics.md): JSON lines, one request each.</summary>
internal static class TraceImport
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="settings">The engine that is stood for.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="AnalyticsException">A line is not in that form, or there is none; the message says which and why.</exception>
    public static async Task<ReplaySet> ReadAsync(string path, ReplaySettings settings, CancellationToken cancellationToken)
    {
        var outputs = new List<PositionTrace>();
        var number = 0;
        await foreach (var line in File.ReadLinesAsync(path, cancellationToken))
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line))
            {
                outputs.Add(Read(path, number, line));
            }
        }

        if (outputs.Count == 0)
        {
            throw new AnalyticsException($"{path} has no line. Give JSON lines such as {{\"id\": \"a\", \"accepted\": [1, 1, 0, 1]}}.");
        }

        var known = settings.Costs is not { } costs
            ? null
            : new TraceCosts
            {
                Profile = CostProfile.Of(costs),
                Source = "the given costs",
                IterationMs = 0,
                PrefillMs = 0,
            };
        return new ReplaySet { Sources = [new ReplaySource(outputs, settings.BatchSize ?? 1, known, null)], LeftOut = [] };
    }

    private static PositionTrace Read(string path, int number, string line)
    {
        try
        {
            var request =
                JsonSerializer.Deserialize(line, ImportedRequestJson.Default.ImportedRequest)
                ?? throw new AnalyticsException("it is null.");
            return ToPositions(request, number);
        }
        catch (Exception exception) when (exception is JsonException or AnalyticsException)
        {
            throw new AnalyticsException($"{path}, line {number}: {exception.Message}", exception);
        }
    }

    private static PositionTrace ToPositions(ImportedRequest request, int number)
    {
        var count = request.Accepted?.Count ?? request.Beta?.Count ?? 0;
        if (count == 0)
        {
            throw new AnalyticsException("it has neither accepted nor beta. Give one value per token, the first included.");
        }

        Check("beta", request.Beta?.Count, count);
        Check("kld", request.Kld?.Count, count);
        Check("draftEntropy", request.DraftEntropy?.Count, count);
        var isByChance = request.Accepted is null;
        var output = new PositionTrace(count)
        {
            Name = request.Id ?? $"line {number}",
            IsByChance = isByChance,
            Temperature = request.Temperature,
            PromptTokens = request.PromptTokens,
            Limit = Math.Max(count, request.MaxTokens ?? count),
            Kind = new AcceptanceKind(request.Workload, request.Temperature == 0 && !isByChance, isByChance),
        };
        for (var position = 0; position < count; position++)
        {
            var chance = isByChance ? request.Beta?[position] : request.Accepted?[position];
            if (chance is not (null or >= 0 and <= 1))
            {
                throw new AnalyticsException($"token {position} has the value {chance}. Give 0, 1 or null, and for beta 0 to 1.");
            }

            output.SetChance(position, chance ?? float.NaN);
            output.SetSignals(
                position,
                new PositionSignals(
                    request.Kld?[position] ?? float.NaN,
                    request.Beta?[position] ?? float.NaN,
                    request.DraftEntropy?[position] ?? float.NaN
                )
            );
        }

        return output;
    }

    private static void Check(string name, int? length, int count)
    {
        if (length is { } other && other != count)
        {
            throw new AnalyticsException($"{name} has {other} values, but there are {count} tokens.");
        }
    }
}
