using System.Diagnostics;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Operators;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Benchmarking;

/// <summary>
/// Times long contexts: prompts of some sequences worked through in chunks, and attention alone over what they have left in the cache, in
/// all layers. Its sequences have slots of their own.
/// </summary>
/// <param name="decoder">What is measured.</param>
/// <param name="type">Type of its activations.</param>
/// <param name="device">Where it computes.</param>
/// <param name="firstSlot">Its slots are this one and those behind it.</param>
/// <param name="sequenceCount">Sequences.</param>
/// <param name="length">Positions of each.</param>
internal sealed class AttentionProbe(CachedDecoder decoder, ScalarType type, Device device, int firstSlot, int sequenceCount, int length)
{
    /// <summary>Bytes of the keys and values that all layers read for a pass.</summary>
    public long BytesOf(RooflineCase @case) =>
        decoder.Attention.Sum(shape =>
            2L
            * @case.SequenceCount
            * Math.Min(length, (shape.SlidingWindow ?? length) + @case.RowsPerSequence - 1L)
            * shape.KvHeadCount
            * shape.HeadDim
            * (type == ScalarType.Float32 ? sizeof(float) : sizeof(ushort))
        );

    /// <summary>Attention of the last rows of each sequence in all layers, without anything else; milliseconds.</summary>
    public double MeasureAttention(RooflineCase @case)
    {
        using var scope = NewDisposeScope();
        using var rows = Rows(@case.SequenceCount, length - @case.RowsPerSequence, @case.RowsPerSequence, []);
        var inputs = decoder
            .Attention.Select(shape =>
                randn([@case.RowCount, (shape.HeadCount + (2L * shape.KvHeadCount)) * shape.HeadDim], device: device).to(type)
            )
            .ToList();
        var start = Stopwatch.GetTimestamp();
        for (var layer = 0; layer < inputs.Count; layer++)
        {
            decoder
                .Operators.Attend(inputs[layer], decoder.Attention[layer], rows, decoder.Cache.Keys(layer), decoder.Cache.Values(layer))
                .Dispose();
        }

        Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>All positions of all sequences, in passes of so many tokens that they share alike; milliseconds.</summary>
    public double MeasurePrefill(int tokensPerPass)
    {
        var chunk = Math.Max(1, tokensPerPass / sequenceCount);
        var start = Stopwatch.GetTimestamp();
        for (var first = 0; first < length; first += chunk)
        {
            using var scope = NewDisposeScope();
            decoder.Forward(Rows(sequenceCount, first, Math.Min(chunk, length - first), [0])).Dispose();
        }

        Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>The same rows of the first sequences; logits of those asked for, or of all.</summary>
    private PassRows Rows(int sequences, int first, int count, long[] wanted)
    {
        var layout = new PassLayout(decoder.Cache);
        var stage = new IndexStage();
        for (var slot = 0; slot < sequences; slot++)
        {
            layout.Add(firstSlot + slot, first, count);
        }

        layout.Stage(stage, wanted);
        var tokens = stage.Add(
            Enumerable.Range(0, sequences * count).Select(row => ((first * 7) + (row * 31L)) % decoder.VocabularySize).ToArray()
        );
        stage.Upload(device);
        return layout.Bind(stage, stage.Slice(tokens));
    }

    private void Synchronize()
    {
        if (device.type == DeviceType.CUDA)
        {
            cuda.synchronize();
        }
    }
}
