using System.Globalization;
using Dsde.Contracts;
using Dsde.Engine.Sampling;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>How a job wants its tokens drawn, checked field by field.</summary>
internal static class SamplingReader
{
    private const int MaxBiases = 1024;
    private const int MaxShownLength = 32;

    /// <param name="job">The job.</param>
    /// <param name="vocabularySize">Tokens of the model.</param>
    /// <exception cref="JobRejectedException">A field is out of range; the message names it, its value and what is allowed.</exception>
    public static SamplingParameters Read(SubmitGenerationJob job, int vocabularySize)
    {
        Require(job.Temperature is null or (>= 0 and <= 2), $"temperature is {Show(job.Temperature)}; give 0 (greedy) to 2.");
        Require(job.TopP is null or (> 0 and <= 1), $"top_p is {Show(job.TopP)}; give more than 0 and at most 1.");
        Require(job.TopK is null or >= 0, $"top_k is {job.TopK}; give 0 (off) or more.");
        Require(job.MinP is null or (>= 0 and <= 1), $"min_p is {Show(job.MinP)}; give 0 (off) to 1.");
        Require(
            job.RepetitionPenalty is null or (> 0 and <= 100),
            $"repetition_penalty is {Show(job.RepetitionPenalty)}; give more than 0 and at most 100; 1 is off."
        );
        Require(
            job.PresencePenalty is null or (>= -2 and <= 2),
            $"presence_penalty is {Show(job.PresencePenalty)}; give -2 to 2; 0 is off."
        );
        Require(
            job.FrequencyPenalty is null or (>= -2 and <= 2),
            $"frequency_penalty is {Show(job.FrequencyPenalty)}; give -2 to 2; 0 is off."
        );
        return new SamplingParameters
        {
            Temperature = (float)(job.Temperature ?? 1),
            TopP = (float)(job.TopP ?? 1),
            TopK = job.TopK ?? 0,
            MinP = (float)(job.MinP ?? 0),
            RepetitionPenalty = (float)(job.RepetitionPenalty ?? 1),
            PresencePenalty = (float)(job.PresencePenalty ?? 0),
            FrequencyPenalty = (float)(job.FrequencyPenalty ?? 0),
            LogitBias = ReadBias(job.LogitBias ?? new Dictionary<string, double>(), vocabularySize),
            Mode = job.SamplingMode switch
            {
                null => null,
                "rejection" => SamplingMode.Rejection,
                "coupled" => SamplingMode.Coupled,
                var other => throw Rejected($"sampling_mode is '{other}'; give rejection or coupled, or leave it out."),
            },
            Seed = unchecked((ulong)(job.Seed ?? SeedOf(job.JobId))),
        };
    }

    private static Dictionary<int, float> ReadBias(IReadOnlyDictionary<string, double> biases, int vocabularySize)
    {
        Require(biases.Count <= MaxBiases, $"logit_bias has {biases.Count} tokens; give at most {MaxBiases}.");
        var byId = new Dictionary<int, float>();
        foreach (var (text, bias) in biases)
        {
            Require(
                int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id < vocabularySize,
                $"logit_bias has the token '{(text.Length <= MaxShownLength && JobLimits.IsPlain(text) ? text : "...")}'; give token ids from 0 to {vocabularySize - 1}."
            );
            Require(bias is >= -100 and <= 100, $"logit_bias of token {id} is {Show(bias)}; give -100 to 100.");
            byId[id] = (float)bias;
        }

        return byId;
    }

    /// <summary>A job without a seed gets the one that its id gives, so that it is the same whenever the job is delivered again.</summary>
    public static long SeedOf(Guid jobId)
    {
        Span<byte> bytes = stackalloc byte[16];
        NameBasedGuid.Create(jobId, "seed").TryWriteBytes(bytes);
        return BitConverter.ToInt64(bytes);
    }

    private static string Show(double? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "null";

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw Rejected(message);
        }
    }

    private static JobRejectedException Rejected(string message) => new(FailureCodes.InvalidRequest, message);
}
