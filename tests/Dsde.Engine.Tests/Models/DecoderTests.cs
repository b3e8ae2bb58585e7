using Dsde.Engine.Models;
using Dsde.Engine.Tests.Models.Reference;
using Dsde.Testing;
using TorchSharp;

namespace Dsde.Engine.Tests.Models;

/// <summary>The engine's decoder against the same model written out plainly.</summary>
public sealed class DecoderTests : IDisposable
{
    private static readonly int[] Tokens = [5, 200, 31, 31, 7, 120, 64, 2, 99, 250, 13];

    private readonly ScratchFolder _folder = new("decoder");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, 4, 2, 1)]
    [InlineData(true, 4, 2, 1)]
    [InlineData(false, 4, 1, 1)]
    [InlineData(false, 4, 4, 3)]
    public void Logits_are_those_of_the_model_written_out(bool tied, int heads, int kvHeads, int shards)
    {
        var shape = new TestModelShape
        {
            Tied = tied,
            Heads = heads,
            KvHeads = kvHeads,
            Shards = shards,
            LayerScale = 0.3,
        };
        using var mode = torch.inference_mode();
        using var decoder = Load(shape);

        var logits = Run(decoder, (0, 0, Tokens));

        ShouldBeClose(logits[^1], new ReferenceDecoder(shape).Logits(Tokens), 1e-3);
    }

    [Fact]
    public void A_sequence_in_portions_gives_the_logits_of_the_whole()
    {
        var shape = new TestModelShape { LayerScale = 0.3 };
        using var mode = torch.inference_mode();
        using var decoder = Load(shape);
        var whole = Run(decoder, (0, 0, Tokens));

        var portions = new List<double[]>();
        portions.AddRange(Run(decoder, (1, 0, Tokens[..4])));
        portions.AddRange(Run(decoder, (1, 4, Tokens[4..5])));
        portions.AddRange(Run(decoder, (1, 5, Tokens[5..])));

        for (var row = 0; row < Tokens.Length; row++)
        {
            ShouldBeClose(portions[row], whole[row], 1e-4);
        }
    }

    [Fact]
    public void Ragged_rows_of_several_slots_give_what_each_slot_gives_alone()
    {
        var shape = new TestModelShape { LayerScale = 0.3 };
        using var mode = torch.inference_mode();
        using var decoder = Load(shape);
        int[] other = [9, 8, 7];
        int[] third = [77, 1, 2, 3, 4];
        var alone = Run(decoder, (3, 0, other)).Concat(Run(decoder, (3, 0, third))).ToList();

        Run(decoder, (0, 0, Tokens[..6]), (2, 0, third[..1]));
        var together = Run(decoder, (0, 6, Tokens[6..]), (1, 0, other), (2, 1, third[1..]));

        var whole = Run(decoder, (3, 0, Tokens));
        for (var row = 0; row < 5; row++)
        {
            ShouldBeClose(together[row], whole[6 + row], 1e-4);
        }

        for (var row = 0; row < 3; row++)
        {
            ShouldBeClose(together[5 + row], alone[row], 1e-4);
        }

        for (var row = 0; row < 4; row++)
        {
            ShouldBeClose(together[8 + row], alone[4 + row], 1e-4);
        }
    }

    [Fact]
    public void What_a_rejection_left_behind_is_never_attended_to()
    {
        var shape = new TestModelShape { LayerScale = 0.3 };
        using var mode = torch.inference_mode();
        using var decoder = Load(shape);
        var expected = Run(decoder, (0, 0, Tokens));
        Run(decoder, (1, 0, Tokens[..5]));
        Run(decoder, (1, 5, [1, 2, 3, 4])); // to be rejected: positions 5 to 8 hold other tokens now

        var actual = Run(decoder, (1, 5, Tokens[5..7]));

        ShouldBeClose(actual[0], expected[5], 1e-4);
        ShouldBeClose(actual[1], expected[6], 1e-4);
    }

    [Fact]
    public void Bf16_weights_are_read_as_they_are_and_widened_exactly()
    {
        var shape = new TestModelShape { StoredAs = "BF16", LayerScale = 0.3 };
        using var mode = torch.inference_mode();
        using var inFp32 = Load(shape);
        using var inBf16 = Load(shape, torch.ScalarType.BFloat16);

        var narrow = Run(inBf16, (0, 0, Tokens))[^1];
        var wide = Run(inFp32, (0, 0, Tokens))[^1];

        ShouldBeClose(narrow, wide, 0.15);
    }

    private CachedDecoder Load(TestModelShape shape, torch.ScalarType type = torch.ScalarType.Float32) =>
        DecoderUnderTest.Load(_folder.Path, shape, type);

    private static List<double[]> Run(CachedDecoder decoder, params (int Slot, int First, int[] Tokens)[] spans) => decoder.Run(spans);

    private static void ShouldBeClose(double[] actual, double[] expected, double tolerance) =>
        actual.DistanceTo(expected).ShouldBeLessThan(tolerance * Math.Max(1, expected.Max(Math.Abs)));
}
