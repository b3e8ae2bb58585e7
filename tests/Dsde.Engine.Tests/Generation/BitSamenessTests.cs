using Dsde.Engine.Sampling;
using Dsde.Speculation;

namespace Dsde.Engine.Tests.Generation;

/// <summary>
/// On CPUs every output is that of autoregressive decoding alone, in fp32 and in bf16, without exception: half of the jobs greedy, half
/// coupled at temperature 1. With DSDE_SLOW_TESTS=1 all 13 policies at three batch sizes on all 150 jobs, 5,850 of each type.
/// </summary>
public sealed class BitSamenessTests
{
    private static readonly bool Slow = Environment.GetEnvironmentVariable("DSDE_SLOW_TESTS") == "1";

    private static readonly string[] Policies = Slow
        ?
        [
            "autoregressive",
            "static:1",
            "static:2",
            "static:3",
            "static:4",
            "static:6",
            "static:8",
            "static:10",
            "dsde",
            "dsde-nocap",
            "dsde-reference",
            "adaedl",
            "goodput",
        ]
        : ["static:10", "dsde"];

    [Theory]
    [InlineData("fp32")]
    [InlineData("bf16")]
    public async Task Every_output_is_the_one_of_its_job_alone_without_speculation(string dataType)
    {
        var (misses, cases) = (0, 0);
        var expected = await Run(dataType, draft: null, batchSize: 1, ["autoregressive"]);
        foreach (var batchSize in Slow ? (int[])[1, 4, 16] : [16])
        {
            var results = await Run(dataType, DemoSamples.Draft, batchSize, Policies);
            for (var i = 0; i < results.Length; i++)
            {
                cases++;
                misses += results[i].TokenIds.SequenceEqual(expected[i % expected.Length].TokenIds) ? 0 : 1;
            }
        }

        misses.ShouldBe(0, $"of {cases}");
        cases.ShouldBe(Slow ? 5850 : 60);
    }

    /// <summary>All jobs under each policy, one policy after the other in the queue.</summary>
    private static async Task<GenerationResult[]> Run(string dataType, string? draft, int batchSize, string[] policies)
    {
        await using var engine = EngineUnderTest.Load(
            DemoSamples.Target,
            draft,
            policies[0],
            batchSize,
            options => options.DataType = dataType
        );
        var greedy = DemoSamples.Read(engine.PromptEncoder).Where((_, index) => Slow || index % 5 == 0).ToList();
        var jobs = greedy.Concat(
            greedy.Select(
                (request, index) =>
                    request with
                    {
                        Sampling = new SamplingParameters
                        {
                            Temperature = 1,
                            Mode = SamplingMode.Coupled,
                            Seed = (ulong)index,
                        },
                    }
            )
        );
        return await engine.GenerateAllAsync(
            policies.SelectMany(policy => jobs.Select(job => job with { Policy = PolicyConfiguration.Parse(policy) }))
        );
    }
}
