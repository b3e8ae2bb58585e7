using Dsde.Engine.Sampling;
using Dsde.Speculation;

namespace Dsde.Engine.Tests.Generation;

/// <summary>Working through an output again to learn where the draft is right.</summary>
public sealed class SurveyTests : IDisposable
{
    private readonly TestPair _models = new();

    public void Dispose() => _models.Dispose();

    [Theory]
    [InlineData(0f)]
    [InlineData(1f)]
    public async Task A_survey_gives_the_same_output_and_stops_at_every_mistake_of_the_draft(float temperature)
    {
        await using var engine = EngineUnderTest.Load(_models.Target, _models.Draft, "static:3");
        var requests = EngineUnderTest
            .Prompts(9)
            .Select(
                (prompt, i) =>
                    EngineUnderTest.Sampled(prompt, 12 + i, (ulong)i, temperature) with
                    {
                        Sampling = new SamplingParameters
                        {
                            Temperature = temperature,
                            Seed = (ulong)i,
                            Mode = SamplingMode.Coupled,
                        },
                    }
            )
            .ToList();

        var plain = await engine.GenerateAllAsync(requests);
        var survey = PolicyConfiguration.Parse("static:64");
        // Some of them beside others that are no surveys.
        var surveyed = await engine.GenerateAllAsync(
            requests.Select((one, i) => i % 3 == 2 ? one : one with { IsSurvey = true, Policy = survey })
        );

        surveyed.Select(result => result.TokenIds).ShouldBe(plain.Select(result => result.TokenIds));
        foreach (var trace in surveyed.Where((_, i) => i % 3 != 2).Select(result => result.Trace))
        {
            var (lengths, accepted) = (trace.Iterations.SpeculationLength, trace.Iterations.Accepted);
            var position = 1;
            for (var step = 0; step < lengths.Length; step++)
            {
                lengths[step].ShouldBe(Math.Max(0, Math.Min(10, trace.CompletionTokens - position - 1)), "the test models never stop");
                if (step > 0 && accepted[step - 1] > 0 && accepted[step - 1] < lengths[step - 1])
                {
                    accepted[step].ShouldBe(0, "it begins at the mistake");
                }

                position += Math.Max(1, accepted[step]);
            }

            position.ShouldBe(trace.CompletionTokens);
        }
    }
}
