using System.Globalization;
using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Engine.Sampling;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>How a job wants its tokens drawn, in the engine's terms. What a job leaves out is as the model has it, or off.</summary>
internal static class SamplingConversion
{
    /// <param name="job">A job without mistakes.</param>
    /// <param name="defaults">What holds where the job says nothing.</param>
    public static SamplingParameters ToParameters(SubmitGenerationJob job, GenerationDefaults defaults) =>
        new()
        {
            Temperature = (float)(job.Temperature ?? defaults.Temperature ?? 1),
            // More than 0, but perhaps not in single precision.
            TopP = Math.Max(float.Epsilon, (float)(job.TopP ?? defaults.TopP ?? 1)),
            TopK = job.TopK ?? defaults.TopK ?? 0,
            MinP = (float)(job.MinP ?? defaults.MinP ?? 0),
            RepetitionPenalty = (float)(job.RepetitionPenalty ?? defaults.RepetitionPenalty ?? 1),
            PresencePenalty = (float)(job.PresencePenalty ?? 0),
            FrequencyPenalty = (float)(job.FrequencyPenalty ?? 0),
            LogitBias = ToBiases(job.LogitBias),
            Mode = job.SamplingMode switch
            {
                null => null,
                "rejection" => SamplingMode.Rejection,
                _ => SamplingMode.Coupled,
            },
            Seed = unchecked((ulong)(job.Seed ?? SeedOf(job.JobId))),
        };

    /// <summary>Biases by token. <paramref name="biases"/>: of a job without mistakes.</summary>
    public static IReadOnlyDictionary<int, float> ToBiases(IReadOnlyDictionary<string, double>? biases) =>
        (biases ?? new Dictionary<string, double>()).ToDictionary(
            bias => int.Parse(bias.Key, CultureInfo.InvariantCulture),
            bias => (float)bias.Value
        );

    /// <summary>A job without a seed gets the one that its id gives, so that it is the same whenever the job is delivered again.</summary>
    public static long SeedOf(Guid jobId)
    {
        Span<byte> bytes = stackalloc byte[16];
        NameBasedGuid.Create(jobId, "seed").TryWriteBytes(bytes);
        return BitConverter.ToInt64(bytes);
    }
}
