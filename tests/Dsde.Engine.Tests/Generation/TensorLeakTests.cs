using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>Counts tensors of the whole process, and so runs while no other test does.</summary>
[Collection(nameof(TensorLeakTests))]
public sealed class TensorLeakTests(TestPair models) : IClassFixture<TestPair>
{
    [Fact]
    public async Task Thousands_of_iterations_leave_no_tensor_behind()
    {
        await using var engine = Load(models.Target, models.Draft, batchSize: 4);
        await Round();
        var before = TorchSharp.torch.Tensor.TotalCount;
        var iterationsBefore = engine.GetSnapshot().Iterations;

        for (var round = 0; round < 20; round++)
        {
            await Round();
        }

        (engine.GetSnapshot().Iterations - iterationsBefore).ShouldBeGreaterThan(1000);
        TorchSharp.torch.Tensor.TotalCount.ShouldBeInRange(0, before);

        async Task Round() =>
            await engine.GenerateAllAsync(
                Prompts(16).Select((prompt, i) => Sampled(prompt, 90, (ulong)i, temperature: i % 3 * 0.5f, topK: i % 4 * 10, topP: 0.9f))
            );
    }
}

[CollectionDefinition(nameof(TensorLeakTests), DisableParallelization = true)]
public sealed class RunsAlone;
