using Dsde.Engine.Sampling;
using Dsde.Engine.Tests.Generation;
using Dsde.Engine.Torch;
using Dsde.Grammars.Tokens;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Tests.Sampling;

public class TokenScoresTests
{
    private const int Vocabulary = 300;
    private static readonly int[] Prompt = [1, 2, 3, 3, 70, 250];
    private static readonly int[] Output = [3, 9, 9, 70, 200];
    private static readonly SamplingParameters[] Parameters =
    [
        .. SamplingMixes
            .Sampled.Concat(SamplingMixes.Greedy)
            .Select(
                (parameters, i) => parameters with { Mode = i % 2 == 0 ? SamplingMode.Rejection : SamplingMode.Coupled, Seed = (ulong)i }
            ),
    ];

    [Fact]
    public void Distribution_Of_Every_Parameter_Is_The_References()
    {
        using var scope = NewDisposeScope();
        var logits = RandomLogits();

        var distributions = TokenScores.Compute(logits, Rows(Parameters)).Distribution();

        for (var row = 0; row < Parameters.Length; row++)
        {
            var expected = ReferenceSampler.Distribution(logits[row].data<float>().ToArray(), Parameters[row], Prompt, Output);
            var actual = distributions[row].data<float>().ToArray();
            if (Parameters[row].IsGreedy)
            {
                Array.IndexOf(actual, actual.Max()).ShouldBe(Array.IndexOf(expected, 1.0));
                continue;
            }

            for (var id = 0; id < Vocabulary; id++)
            {
                actual[id].ShouldBe((float)expected[id], 1e-5f, $"Row {row}, token {id}");
                (actual[id] == 0).ShouldBe(expected[id] < 1e-30, $"Row {row}, token {id}");
            }
        }
    }

    [Fact]
    public void Rows_Do_Not_Depend_On_Each_Other()
    {
        using var scope = NewDisposeScope();
        var logits = RandomLogits();
        var together = TokenScores.Compute(logits, Rows(Parameters));

        for (var row = 0; row < Parameters.Length; row++)
        {
            var alone = TokenScores.Compute(logits.narrow(0, row, 1), Rows([Parameters[row]]));

            alone.Margin()[0].item<float>().ShouldBe(together.Margin()[row].item<float>(), $"Row {row}");
            alone.Best[0].item<long>().ShouldBe(together.Best[row].item<long>());
            if (Parameters[row].EffectiveMode == SamplingMode.Rejection)
            {
                alone.Scores[0].equal(together.Scores[row]).all().item<bool>().ShouldBeTrue($"Row {row}");
            }
        }
    }

    [Fact]
    public void Greedy_Batches_Without_Penalties_Are_Left_Alone()
    {
        using var scope = NewDisposeScope();
        var logits = RandomLogits();
        var greedy = new SamplingParameters
        {
            Temperature = 0,
            TopK = 5,
            TopP = 0.5f,
            MinP = 0.5f,
        };

        var scores = TokenScores.Compute(logits, Rows([.. Enumerable.Repeat(greedy, Parameters.Length)]));

        scores.Scores.ShouldBeSameAs(logits);
        scores.Best.equal(logits.argmax(-1)).all().item<bool>().ShouldBeTrue();
    }

    [Theory]
    [InlineData(0.05f)]
    [InlineData(0.5f)]
    [InlineData(0.9f)]
    [InlineData(0.999f)]
    public void Nucleus_Without_Sorting_Is_That_Of_Sorting(float topP)
    {
        using var scope = NewDisposeScope();
        var random = RandomLogits();
        var flat = random.mul(Scalars.Of(1e-3));
        var steep = random.masked_fill(random.lt(Scalars.Of(2)), Scalars.Of(double.NegativeInfinity)).mul_(Scalars.Of(8));
        foreach (var scores in (Tensor[])[random, flat, steep])
        {
            var sorted = Truncation.NucleusBySorting(scores, full([scores.shape[0], 1], Scalars.Of(topP)));

            for (var row = 0; row < scores.shape[0]; row++)
            {
                NucleusKernel.FindThreshold(scores[row].data<float>().ToArray(), topP).ShouldBe(sorted[row].item<float>(), $"Row {row}");
            }
        }
    }

    [Fact]
    public void Truncation_Keeps_All_Of_A_Tie()
    {
        using var scope = NewDisposeScope();
        var logits = tensor([1f, 3f, 2f, 2f, 0f]).unsqueeze(0);
        var rows = RowSampling.ForNextTokens(
            [(new SamplingParameters { TopK = 2, Mode = SamplingMode.Rejection }, new TokenHistory(new SamplingParameters(), []), 0, null)],
            5,
            CPU
        );

        var kept = TokenScores.Compute(logits, rows).Scores[0].isfinite();

        kept.data<bool>().ToArray().ShouldBe([false, true, true, true, false]);
    }

    private static Tensor RandomLogits() => randn([Parameters.Length, Vocabulary], generator: new Generator(4)).mul_(Scalars.Of(3));

    private static RowSampling Rows(SamplingParameters[] parameters) =>
        RowSampling.ForNextTokens(
            [.. parameters.Select(row => (row, HistoryOf(row), Prompt.Length + Output.Length, (TokenSet?)null))],
            Vocabulary,
            CPU
        );

    private static TokenHistory HistoryOf(SamplingParameters parameters)
    {
        var history = new TokenHistory(parameters, Prompt);
        foreach (var id in Output)
        {
            history.Add(id);
        }

        return history;
    }
}
