using Dsde.Engine.Sampling;

namespace Dsde.Engine.Tests.Sampling;

public sealed class SamplingParametersTests
{
    [Theory]
    [InlineData(SamplingMode.Rejection, 1f, 0, 1f, true)]
    [InlineData(SamplingMode.Rejection, 0.7f, 0, 1f, false)] // β is about temperature 1
    [InlineData(SamplingMode.Rejection, 1f, 40, 1f, false)] // and about whole distributions
    [InlineData(SamplingMode.Rejection, 1f, 0, 0.9f, false)]
    [InlineData(SamplingMode.Coupled, 1f, 0, 1f, false)] // accepts less often than with β
    [InlineData(SamplingMode.Coupled, 0f, 0, 1f, false)] // greedy has no coin
    public void Beta_is_the_chance_of_acceptance_only_in_rejection_sampling_of_the_raw_distributions(
        SamplingMode mode,
        float temperature,
        int topK,
        float topP,
        bool expected
    ) =>
        new SamplingParameters
        {
            Temperature = temperature,
            Mode = mode,
            TopK = topK,
            TopP = topP,
        }.BetaIsTheChance.ShouldBe(expected);
}
