using System.Globalization;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.Persistence.Analysis;
using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Positions;

/// <summary>Stored traces by their positions.</summary>
internal static class PositionConversion
{
    private const string Rejection = "rejection";
    private const int DefaultPlainMaxTokens = 16; // what a worker gives a prompt that names no limit

    /// <summary>
    /// The output by its positions; null if its trace was stored without iterations and tokens (<c>summary</c>, <c>iterations</c>).
    /// </summary>
    /// <exception cref="AnalyticsException">The trace's numbers don't go together.</exception>
    public static PositionTrace? ToPositions(StoredTrace stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        var trace = stored.Trace;
        if (
            trace
            is not {
                IterationLength: { } lengths,
                IterationAccepted: { } accepted,
                ProposalKld: { } kld,
                ProposalBeta: { } beta,
                ProposalDraftEntropy: { } entropy,
                TokenDraftMatch: { } matches
            }
        )
        {
            return null;
        }

        var isRejection = trace.SamplingMode == Rejection;
        var positions = new PositionTrace(trace.CompletionTokens)
        {
            Name = NameOf(stored),
            IsByChance = isRejection,
            Temperature = trace.Temperature,
            PromptTokens = trace.PromptTokens,
            Limit = LimitOf(stored),
            Kind = new AcceptanceKind(
                stored.Workload,
                trace.SamplingMode == "greedy",
                isRejection && trace is { Temperature: 1, TopK: 0, TopP: 1 }
            ),
        };
        var steps = new TracedSteps(lengths, accepted, Known(kld), Known(beta), Known(entropy));
        var accounted = steps.LayOut(positions);
        var beginOfLast = accepted is [.., var last] ? accounted - last - 1 : 0;
        if (accounted < trace.CompletionTokens || beginOfLast >= trace.CompletionTokens)
        {
            throw new AnalyticsException(
                $"The trace of {positions.Name} has iterations for {accounted} tokens, but the output has {trace.CompletionTokens}."
            );
        }

        if (
            trace is
            {
                SurveyLength: { } surveyLengths,
                SurveyAccepted: { } surveyAccepted,
                SurveyKld: { } surveyKld,
                SurveyBeta: { } surveyBeta,
                SurveyDraftEntropy: { } surveyEntropy
            }
        )
        {
            var survey = new TracedSteps(surveyLengths, surveyAccepted, surveyKld, surveyBeta, surveyEntropy) { IsSurvey = true };
            survey.LayOut(positions);
        }

        // In rejection sampling the draft's best token says nothing about whether what it drew would have been accepted.
        for (var position = 1; position < trace.CompletionTokens && !isRejection; position++)
        {
            if (matches[position] >= 0)
            {
                positions.SetChance(position, matches[position]);
            }
        }

        return positions;
    }

    /// <summary>What people know an output by.</summary>
    public static string NameOf(StoredTrace stored) =>
        (stored.CustomId ?? stored.JobId.ToString())
        + (stored.Choice == 0 ? "" : "#" + stored.Choice.ToString(CultureInfo.InvariantCulture));

    /// <summary>The request of a trace; null where it is not stored.</summary>
    public static SubmitGenerationJob? RequestOf(StoredTrace stored)
    {
        try
        {
            return stored.Request is null ? null : CanonicalRequest.Read(stored.Request);
        }
        catch (JsonException)
        {
            return null; // as if it were not stored
        }
    }

    private static float[] Known(float?[] series) => Array.ConvertAll(series, value => value ?? float.NaN);

    private static int LimitOf(StoredTrace stored)
    {
        var count = stored.Trace.CompletionTokens;
        if (stored.FinishReason == "length")
        {
            return count;
        }

        var request = RequestOf(stored);
        var asked = request is null ? int.MaxValue : request.MaxTokens ?? (request.Messages is null ? DefaultPlainMaxTokens : int.MaxValue);
        return Math.Max(count, asked);
    }
}
