using Dsde.Engine.Iteration;
using Dsde.Engine.Sampling;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Tests.Sampling;

/// <summary>The CPU's kernels against the device operations that do the same elsewhere.</summary>
public sealed class LogitKernelTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _random = new(5, CPU);

    public static TheoryData<int> Lengths => [2, 15, 16, 17, 2048, 4095, 4096, 4097, 32_003];

    public void Dispose()
    {
        _scope.Dispose();
        _random.Dispose();
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void FindBest_AnyLength_EqualsDeviceOperations(int length)
    {
        var scores = Logits(6, length);
        scores[1, ..^1] = float.NegativeInfinity; // one token is left
        scores[2, length - 1] = 100f;
        NoiseKey?[] keys = [.. Enumerable.Range(0, 6).Select(row => row == 3 ? default(NoiseKey?) : NoiseKey.Of(9, row))];
        var noise = TestNoise.Create(keys, length);

        foreach (var added in new[] { null, noise })
        {
            foreach (var temperature in new[] { 0f, 1f, 0.7f, 1e-5f, 1.9f })
            {
                var parameters = new SamplingParameters { Temperature = temperature, Mode = SamplingMode.Coupled };
                var rows = SamplingRows.Create([.. Enumerable.Repeat(parameters, 6)], length, CPU);
                var found = TokenScores.Compute(
                    scores,
                    new RowSampling(rows, added is null ? null : RowNoise.Create(keys, length, CPU), default)
                );
                var scaled = temperature is 0 or 1 ? scores : (scores - scores.amax([-1], keepdim: true)).mul(Scalars.Of(1 / temperature));
                var perturbed = added is null ? scaled : scaled.Plus(added);

                found.Best.data<long>().ShouldBe(TokenScores.FindBest(scaled, added).data<long>());
                found.Margin().data<float>().ShouldBe(TokenMeasures.Margin(perturbed).data<float>());
            }
        }
    }

    /// <summary>What tells that a row holds something else than numbers and −∞, wherever that stands, and on every device.</summary>
    [Theory]
    [MemberData(nameof(Lengths))]
    public void Normalizers_and_measures_are_numbers_exactly_where_the_logits_are(int length)
    {
        float[] spoilers = [float.NaN, float.PositiveInfinity, -float.NaN];
        var places = new[] { 0, length / 2, length - 1 }.Distinct().ToList();
        var logits = Logits(2 + (spoilers.Length * places.Count), length);
        logits[0, 0] = float.NegativeInfinity; // masked
        logits[1].fill_(Scalars.Of(double.NegativeInfinity));
        foreach (var (row, (value, place)) in spoilers.SelectMany(value => places.Select(place => (value, place))).Index())
        {
            logits[2 + row, place] = value;
        }

        var good = Logits((int)logits.shape[0], length);
        var rows = Scalars.Range(logits.shape[0], CPU);

        Finite(TokenMeasures.LogNormalizer(logits)).ShouldBe(OnlyTheFirst(logits));
        Finite(logits.logsumexp(-1)).ShouldBe(OnlyTheFirst(logits));
        foreach (
            var (ofBadTarget, ofBadDraft) in new[]
            {
                (
                    DivergenceMeasures.Compute(logits, TokenMeasures.LogNormalizer(logits), rows, [good]),
                    DivergenceMeasures.Compute(good, TokenMeasures.LogNormalizer(good), rows, [logits])
                ),
                (DivergenceMeasures.Compute(logits, good), DivergenceMeasures.Compute(good, logits)),
            }
        )
        {
            Finite(ofBadTarget.Kld).ShouldBe(OnlyTheFirst(logits));
            Finite(ofBadTarget.DraftEntropy).ShouldAllBe(isFinite => isFinite);
            Finite(ofBadDraft.DraftEntropy).ShouldBe(OnlyTheFirst(logits));
            Finite(ofBadDraft.Kld).ShouldBe(OnlyTheFirst(logits));
        }

        EarlyStops.MeasureEntropy(logits).Select(float.IsFinite).ShouldBe(OnlyTheFirst(logits));
    }

    private static bool[] Finite(Tensor values) => values.flatten().isfinite().data<bool>().ToArray();

    private static IEnumerable<bool> OnlyTheFirst(Tensor rows) => Enumerable.Range(0, (int)rows.shape[0]).Select(row => row == 0);

    [Theory]
    [InlineData(3, 40)] // other lanes
    [InlineData(16, 32)] // the same lane
    [InlineData(0, 49)] // the last, behind whole vectors
    public void FindBest_EqualScores_TakesTheFirstAndHasNoMargin(int first, int second)
    {
        var scores = zeros(1, 50);
        scores[0, first] = 2f;
        scores[0, second] = 2f;

        var found = TokenScores.Compute(
            scores,
            new RowSampling(SamplingRows.Create([new SamplingParameters { Temperature = 0 }], 50, CPU), null, default)
        );

        found.Best.item<long>().ShouldBe(first);
        found.Margin().item<float>().ShouldBe(0f);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void MeasureEntropy_AnyLength_EqualsDeviceOperations(int length)
    {
        var logits = Logits(4, length);
        logits[1, ..^1] = float.NegativeInfinity; // one token is left
        logits[2] = 0f; // nothing is likelier than anything else

        var entropy = EarlyStops.MeasureEntropy(logits);
        var expected = EarlyStops.MeasureOnDevice(logits).data<float>().ToArray();

        for (var row = 0; row < 4; row++)
        {
            entropy[row].ShouldBe(expected[row], 1e-4f);
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void LogNormalizer_AnyLength_IsNearDoublePrecision(int length)
    {
        var logits = Logits(5, length);
        logits[1].add_(Scalars.Of(1000), Scalars.Of(1)); // would overflow without a shift
        logits[2, 1..] = float.NegativeInfinity;

        var difference =
            TokenMeasures.LogNormalizer(logits).to(ScalarType.Float64) - logits.to(ScalarType.Float64).logsumexp(-1, keepdim: true);

        difference.abs().max().item<double>().ShouldBeLessThan(1e-4); // half a unit in the last place of 1000
        difference[TensorIndex.Slice(2)].abs().max().item<double>().ShouldBeLessThan(4e-6);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Diverge_AnyLengthAndPieces_EqualsDeviceOperations(int length)
    {
        var target = Logits(7, length);
        var draft = Logits(4, length);
        draft[1] = target[6]; // nothing between them
        draft[2, 0] = 200f; // all others are clamped
        target[5, 0] = float.NegativeInfinity;
        var rows = tensor([0L, 6L, 2L, 5L]);

        var measured = DivergenceMeasures.Compute(
            target,
            TokenMeasures.LogNormalizer(target),
            rows,
            [draft.narrow(0, 0, 1), draft.narrow(0, 1, 3)]
        );

        var expected = DivergenceMeasures.Compute(target.index_select(0, rows).to(ScalarType.Float64), draft.to(ScalarType.Float64));
        ShouldBeNear(measured.Kld, expected.Kld);
        ShouldBeNear(measured.Beta, expected.Beta);
        ShouldBeNear(measured.DraftEntropy, expected.DraftEntropy);
        measured.Kld[1].item<float>().ShouldBe(0f, 1e-6f);
    }

    private static void ShouldBeNear(Tensor measured, Tensor expected) =>
        (measured.to(ScalarType.Float64) - expected)
            .abs()
            .div(expected.abs().add_(Scalars.Of(1), Scalars.Of(1)))
            .max()
            .item<double>()
            .ShouldBeLessThan(1e-5);

    private Tensor Logits(int rows, int length) => randn([rows, length], generator: _random).mul_(Scalars.Of(3));
}
