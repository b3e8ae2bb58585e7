using Dsde.Engine.Models;
using Dsde.Engine.Models.Passes;
using Dsde.Testing;
using TorchSharp;

namespace Dsde.Engine.Tests.Models;

/// <summary>
/// With deterministic numerics a token's logits are bitwise those of its sequence alone, whatever is in the batch and however it is cut.
/// </summary>
public sealed class DeterministicDecoderTests : IDisposable
{
    private const int SlotCount = 5;
    private const int Length = 70;

    private readonly ScratchFolder _folder = new("deterministic");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(TestFamily.Llama, torch.ScalarType.Float32)]
    [InlineData(TestFamily.Llama, torch.ScalarType.BFloat16)]
    [InlineData(TestFamily.Gemma2, torch.ScalarType.Float32)]
    [InlineData(TestFamily.Gemma2, torch.ScalarType.BFloat16)]
    public void Logits_are_bitwise_the_same_in_every_batch_and_chunking(TestFamily family, torch.ScalarType type)
    {
        var window = family == TestFamily.Gemma2 ? 9 : (int?)null;
        var shape = new TestModelShape
        {
            Family = family,
            SlidingWindow = window,
            NormSpread = 0.3,
            Hidden = 96,
            Intermediate = 200,
            HeadDim = 24,
            LayerScale = 0.3,
            StoredAs = type == torch.ScalarType.BFloat16 ? "BF16" : "F32",
        };
        TestModelFolder.Write(_folder.Path, shape);
        using var mode = torch.inference_mode();
        using var decoder = new CachedDecoder(
            ModelFolder.Open(_folder.Path),
            SlotCount,
            maxLength: 128,
            type,
            torch.CPU,
            isDeterministic: true
        );
        var random = new Random(11);
        var sequences = Enumerable
            .Range(0, SlotCount)
            .Select(_ => Enumerable.Range(0, Length).Select(_ => random.Next(250)).ToArray())
            .ToArray();
        var expected = sequences.Select((tokens, slot) => Run(decoder, [(slot, 0, tokens)])).ToArray();

        for (var trial = 0; trial < 12; trial++)
        {
            var done = new int[SlotCount];
            while (done.Any(count => count < Length))
            {
                var spans = Enumerable
                    .Range(0, SlotCount)
                    .Where(slot => done[slot] < Length && random.Next(3) > 0)
                    .Select(slot =>
                        (
                            slot,
                            done[slot],
                            sequences[slot][done[slot]..Math.Min(Length, done[slot] + 1 + random.Next(random.Next(2) == 0 ? 3 : 50))]
                        )
                    )
                    .ToArray();
                var row = 0;
                var logits = spans.Length == 0 ? [] : Run(decoder, spans);
                foreach (var (slot, first, tokens) in spans)
                {
                    for (var i = 0; i < tokens.Length; i++)
                    {
                        logits[row++].ShouldBe(expected[slot][first + i]);
                    }

                    done[slot] += tokens.Length;
                }
            }
        }
    }

    /// <summary>One pass; the bits of the logits of all its rows.</summary>
    private static List<int[]> Run(CachedDecoder decoder, (int Slot, int First, int[] Tokens)[] spans)
    {
        using var scope = torch.NewDisposeScope();
        var layout = new PassLayout(decoder.Cache);
        var stage = new IndexStage();
        foreach (var (slot, first, tokens) in spans)
        {
            layout.Add(slot, first, tokens.Length);
        }

        layout.Stage(stage, []);
        var range = stage.Add(spans.SelectMany(span => span.Tokens).Select(token => (long)token).ToArray());
        stage.Upload(torch.CPU);
        var logits = decoder.Forward(layout.Bind(stage, stage.Slice(range)));
        return [.. logits.data<float>().ToArray().Select(BitConverter.SingleToInt32Bits).Chunk((int)logits.shape[1])];
    }
}
