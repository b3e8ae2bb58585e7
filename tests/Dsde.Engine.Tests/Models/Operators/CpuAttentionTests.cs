using Dsde.Engine.Kv;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Operators;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Torch;
using TorchSharp;
using static Dsde.Engine.Tests.Models.Operators.CpuOpsFixture;

namespace Dsde.Engine.Tests.Models.Operators;

/// <summary>Attention on the vector units against torch's: results and what is left in the cache.</summary>
public sealed class CpuAttentionTests
{
    private const int SlotCount = 4;
    private const int MaxLength = 160;

    private static readonly TorchOps Torch = new();

    [Theory]
    [InlineData(4, 2, 32, null, null, false)]
    [InlineData(4, 4, 64, null, null, false)]
    [InlineData(6, 1, 24, null, null, true)]
    [InlineData(8, 2, 16, 30.0, null, false)]
    [InlineData(4, 2, 32, null, 7, true)]
    [InlineData(4, 2, 20, 20.0, 33, true)]
    [InlineData(2, 1, 256, null, 64, false)]
    public void Ragged_rows_agree_with_torch(int heads, int groups, int headDim, double? softCap, int? window, bool hasNorms)
    {
        RowSpan[][] passes =
        [
            [new(0, 0, 1)],
            [new(0, 0, 40), new(2, 0, 3)],
            [new(1, 99, 1), new(0, 30, 5), new(3, 31, 1), new(2, 100, 17)],
            [new(2, 63, 1), new(3, 64, 1)],
        ];
        foreach (var type in Types)
        {
            using var scope = torch.NewDisposeScope();
            using var ops = (IDisposable)Create(type, 2);
            using var rotary = new RotaryTable(headDim, 10000, MaxLength, type, torch.CPU);
            var shape = Shape(heads, groups, headDim, rotary, type, softCap, window, hasNorms);
            foreach (var spans in passes)
            {
                using var passScope = torch.NewDisposeScope();
                var qkv = Random(spans.Length, type, 1, spans.Sum(span => span.Count), (heads + (2 * groups)) * headDim);
                using var cache = Cache(type, groups, headDim);
                using var expectedCache = TestCache.ByPosition(cache, groups, headDim);
                using var rows = Rows(cache, spans);
                using var expectedRows = Rows(expectedCache, spans);

                var actual = Attend((IDecoderOps)ops, qkv, shape, rows, cache);

                ShouldAgree(
                    actual,
                    Attend(Torch, qkv, shape, expectedRows, expectedCache),
                    type == torch.ScalarType.BFloat16 ? 0.04 : 1e-5
                );
                // What is behind the last row of a sequence is nobody's.
                var places = Rows(cache, [.. spans.Select(span => new RowSpan(span.Slot, 0, span.First + span.Count))])
                    .Places.Ragged(groups);
                using var kept = TestCache.ByPosition(cache, groups, headDim);
                ShouldAgree(kept.Keys(0).index_select(0, places), expectedCache.Keys(0).index_select(0, places));
                ShouldBeSame(kept.Values(0).index_select(0, places), expectedCache.Values(0).index_select(0, places));
            }
        }
    }

    [Fact]
    public void A_row_gives_the_same_bits_whatever_rows_are_beside_it_and_wherever_its_blocks_lie()
    {
        foreach (var type in Types)
        {
            using var scope = torch.NewDisposeScope();
            using var one = (IDisposable)Create(type, 1);
            using var two = (IDisposable)Create(type, 2);
            using var rotary = new RotaryTable(32, 10000, MaxLength, type, torch.CPU);
            var shape = Shape(4, 2, 32, rotary, type, softCap: null, window: 50, hasNorms: true);
            var qkv = Random(1, type, 1, 120, 8 * 32);
            using var cache = Cache(type, 2, 32);
            using var whole = Rows(cache, new RowSpan(1, 0, 120));
            var expected = Attend((IDecoderOps)one, qkv, shape, whole, cache);

            var random = new Random(3);
            using var scattered = TestCache.Create(SlotCount, MaxLength, groups: 2, headDim: 32, type: type, layout: KvLayout.Weights);
            for (int first = 0, count; first < 120; first += count)
            {
                count = Math.Min(1 + random.Next(20), 120 - first);
                scattered.Reserve(random.Next(1, 3), 0, Math.Min(MaxLength, first + count + random.Next(60))); // takes blocks in between
                RowSpan[] spans = random.Next(2) == 0 ? [new(3, first, count)] : [new(0, random.Next(90), 3), new(3, first, count)];
                using var chunk = Rows(scattered, spans);
                var others = Random(first, type, 1, 3, 8 * 32);
                var input = qkv.narrow(0, first, count);
                var result = Attend((IDecoderOps)two, spans.Length == 1 ? input : torch.cat([others, input]), shape, chunk, scattered);
                ShouldBeSame(result.narrow(0, spans.Length == 1 ? 0 : 3, count), expected.narrow(0, first, count));
            }
        }
    }

    [Fact]
    public void What_is_no_number_spoils_no_row_before_it_and_none_that_takes_its_place()
    {
        foreach (var type in Types)
        {
            using var scope = torch.NewDisposeScope();
            using var ops = (IDisposable)Create(type, 2);
            using var rotary = new RotaryTable(32, 10000, MaxLength, type, torch.CPU);
            var shape = Shape(4, 2, 32, rotary, type, softCap: null, window: null, hasNorms: false);
            var clean = Random(1, type, 1, 45, 8 * 32);
            var spoilt = clean.clone();
            spoilt.narrow(0, 42, 3).narrow(1, 4 * 32, 4 * 32).fill_(Scalars.Of(float.NaN)); // keys and values of the last three rows
            var (expected, _) = Run(clean);

            var (before, _) = Run(spoilt);
            var (_, again) = Run(spoilt);

            ShouldBeSame(before.narrow(0, 0, 42), expected.narrow(0, 0, 42));
            before.narrow(0, 42, 3).isnan().all().item<bool>().ShouldBeTrue();
            ShouldBeSame(again, expected.narrow(0, 41, 2));

            // All rows in one pass; then two of them once more, as they should have been, before what the first pass has left.
            (torch.Tensor All, torch.Tensor Again) Run(torch.Tensor qkv)
            {
                using var cache = Cache(type, 2, 32);
                using var rows = Rows(cache, new RowSpan(1, 0, 45));
                using var some = Rows(cache, new RowSpan(1, 41, 2));
                return (
                    Attend((IDecoderOps)ops, qkv, shape, rows, cache),
                    Attend((IDecoderOps)ops, clean.narrow(0, 41, 2).contiguous(), shape, some, cache)
                );
            }
        }
    }

    private static AttentionShape Shape(
        int heads,
        int groups,
        int headDim,
        RotaryTable rotary,
        torch.ScalarType type,
        double? softCap,
        int? window,
        bool hasNorms
    ) =>
        new(heads, groups, headDim, 1 / Math.Sqrt(headDim), rotary)
        {
            SoftCap = softCap,
            SlidingWindow = window,
            NormEps = 1e-6,
            QueryNorm = hasNorms ? Random(8, type, 1, headDim) : null,
            KeyNorm = hasNorms ? Random(9, type, 1, headDim) : null,
        };

    private static torch.Tensor Attend(IDecoderOps ops, torch.Tensor qkv, AttentionShape shape, PassRows rows, KvCache cache) =>
        ops.Attend(qkv, shape, rows, cache.Keys(0), cache.Values(0));

    /// <summary>Full of random numbers.</summary>
    private static KvCache Cache(torch.ScalarType type, int groups, int headDim)
    {
        var cache = TestCache.CreateFull(SlotCount, MaxLength, groups, headDim, type, KvLayout.Weights);
        cache.Keys(0).copy_(Random(20, type, 1, cache.Keys(0).shape));
        cache.Values(0).copy_(Random(21, type, 1, cache.Values(0).shape));
        return cache;
    }
}
