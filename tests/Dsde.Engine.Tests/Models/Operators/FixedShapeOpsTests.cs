using Dsde.Engine.Kv;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Operators;
using Dsde.Engine.Models.Weights;
using Dsde.Engine.Tests.Models.Reference;
using Dsde.Testing;
using TorchSharp;

namespace Dsde.Engine.Tests.Models.Operators;

/// <summary>With fixed shapes a row's logits have the same bits whatever is beside it, on torch's own operators.</summary>
public sealed class FixedShapeOpsTests : IDisposable
{
    private const int MaxLength = 300;
    private static readonly int[] Text = [.. Enumerable.Range(0, 70).Select(i => ((i * 89) + (i * i * 7) + 5) % 290)];

    private readonly ScratchFolder _folder = new("fixed");

    public static TheoryData<string, torch.ScalarType> Cases() =>
        new()
        {
            { "llama 2", torch.ScalarType.Float32 },
            { "qwen3", torch.ScalarType.BFloat16 },
            { "qwen2 with a window", torch.ScalarType.Float32 },
            { "gemma 2", torch.ScalarType.BFloat16 },
        };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Logits_have_the_same_bits_in_any_portions_and_beside_any_rows(string family, torch.ScalarType type)
    {
        using var mode = torch.inference_mode();
        var (decoder, cache) = Load(FamilyShapes.Find(family), type);
        using var owned = decoder;
        using var ownedCache = cache;
        var expected = Run(decoder, cache, (0, 0, Text));

        var random = new Random(5);
        for (var first = 0; first < Text.Length; )
        {
            var count = Math.Min(random.Next(1, 21), Text.Length - first);
            var other = Text[..random.Next(1, 30)];
            var beside = Run(
                decoder,
                cache,
                (2, first, Text[first..(first + count)]),
                (random.Next(2) == 0 ? 1 : 3, random.Next(200), other)
            );
            for (var row = 0; row < count; row++)
            {
                beside[row].ShouldBe(expected[first + row]);
            }

            first += count;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Logits_are_those_of_the_model_written_out(string family, torch.ScalarType type)
    {
        var shape = FamilyShapes.Find(family);
        using var mode = torch.inference_mode();
        var (decoder, cache) = Load(shape, type);
        using var owned = decoder;
        using var ownedCache = cache;

        var actual = Run(decoder, cache, (1, 0, Text));

        var expected = new ReferenceDecoder(shape).AllLogits(Text);
        actual
            .Zip(expected, (a, b) => a.DistanceTo(b))
            .Max()
            .ShouldBeLessThan(type == torch.ScalarType.Float32 ? 1e-4 : 0.05 * expected.Max(row => row.Max(Math.Abs)));
    }

    private (Decoder Decoder, KvCache Cache) Load(TestModelShape shape, torch.ScalarType type)
    {
        TestModelFolder.Write(_folder.Path, shape);
        var folder = ModelFolder.Open(_folder.Path);
        var placement = LayerPlacement.Spread(folder.Config, [torch.CPU]);
        return (
            new Decoder(
                folder.Config,
                DecoderWeights.Load(folder, type, placement, folder.Config.VocabularySize),
                new FixedShapeOps(),
                MaxLength
            ),
            new KvCache(folder.Config, 4, MaxLength, type, placement.Layers)
        );
    }

    private static List<double[]> Run(Decoder decoder, KvCache cache, params (int Slot, int First, int[] Tokens)[] spans) =>
        DecoderUnderTest.Run(rows => decoder.Forward(rows, cache), cache, torch.CPU, spans);
}
