using Dsde.Engine.Models;
using Dsde.Engine.Sampling;
using Dsde.Engine.Tests.Sampling;
using TorchSharp;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>Rejection sampling is lossless: what the whole engine emits is distributed as the target's own samples (Leviathan et al. 2023).</summary>
public sealed class TargetDistributionTests(TestPair models) : IClassFixture<TestPair>
{
    private const int Draws = 6000;
    private const int Length = 4;
    private static readonly int[] Prompt = [17, 101, 32];

    [Theory]
    [InlineData("static:2", 1f, 3, 1f)]
    [InlineData("static:2", 2f, 5, 0.98f)]
    [InlineData("dsde", 1.8f, 3, 1f)]
    [InlineData("adaedl", 1.8f, 3, 1f)]
    public async Task Emitted_tokens_follow_the_targets_distribution(string policy, float temperature, int topK, float topP)
    {
        var parameters = new SamplingParameters { Temperature = temperature, TopK = topK, TopP = topP };
        await using var engine = Load(models.Target, models.Draft, policy, batchSize: 64);

        var results = await engine.GenerateAllAsync(
            Enumerable.Range(0, Draws).Select(i => Sampled(Prompt, Length, (ulong)i * 7919, temperature, topK, topP)));

        results.Sum(result => result.Trace.Accepted).ShouldBeGreaterThan(Draws / 20, "Too little was accepted to show anything.");
        var observed = results.CountBy(result => string.Join(' ', result.TokenIds)).ToDictionary();
        var expected = ExpectedOutputs(parameters);
        observed.Keys.ShouldAllBe(output => expected.ContainsKey(output), "An output came up that the target can't give.");
        ChiSquare.ShouldFollow(observed, expected, Draws);
    }

    /// <summary>The probability of every possible output, from the target alone.</summary>
    private Dictionary<string, double> ExpectedOutputs(SamplingParameters parameters)
    {
        using var mode = torch.inference_mode();
        using var scope = torch.NewDisposeScope();
        var folder = ModelFolder.Open(models.Target);
        using var target = new CachedDecoder(folder, 1, 64, torch.ScalarType.Float32, torch.CPU);
        var outputs = new Dictionary<string, double>();
        Extend([], 1);
        return outputs;

        void Extend(List<int> output, double probability)
        {
            if (output.Count == Length || (output.Count > 0 && folder.Config.EosTokenIds.Contains(output[^1])))
            {
                outputs.Add(string.Join(' ', output), probability);
                return;
            }

            var next = NextTokens(target, [.. Prompt, .. output], parameters);
            for (var id = 0; id < next.Length; id++)
            {
                if (next[id] > 0)
                {
                    Extend([.. output, id], probability * next[id]);
                }
            }
        }
    }

    private static float[] NextTokens(CachedDecoder target, int[] prefix, SamplingParameters parameters)
    {
        using var scope = torch.NewDisposeScope();
        var layout = new PassLayout(target.Cache.MaxLength);
        var stage = new IndexStage();
        layout.Add(0, 0, prefix.Length);
        layout.Stage(stage, [prefix.Length - 1]);
        var tokens = stage.Add(Array.ConvertAll(prefix, id => (long)id));
        stage.Upload(torch.CPU);
        var logits = target.Forward(layout.Bind(stage, stage.Slice(tokens)));
        return Distributions.Process(logits, SamplingRows.Create([parameters], torch.CPU)).data<float>().ToArray();
    }
}
