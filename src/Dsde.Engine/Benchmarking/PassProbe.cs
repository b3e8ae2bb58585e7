using System.Diagnostics;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Passes;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Benchmarking;

/// <summary>
/// Times forward passes of a decoder, and its linear layers alone. The cache holds zeros: what is in it does not change the time.
/// </summary>
internal sealed class PassProbe(CachedDecoder decoder, LinearLayers layers, Device device, int contextLength)
{
    /// <summary>The linear layers; milliseconds.</summary>
    public double MeasureLinear(RooflineCase @case)
    {
        var start = Stopwatch.GetTimestamp();
        layers.Run(@case.RowCount);
        Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>The whole pass; milliseconds.</summary>
    public double MeasureForward(RooflineCase @case)
    {
        using var scope = NewDisposeScope();
        var layout = new PassLayout(decoder.Cache);
        var stage = new IndexStage();
        for (var slot = 0; slot < @case.SequenceCount; slot++)
        {
            layout.Add(slot, contextLength, @case.RowsPerSequence);
        }

        layout.Stage(stage, []);
        var tokens = stage.Add(Enumerable.Range(0, @case.RowCount).Select(row => (long)row * 31 % decoder.VocabularySize).ToArray());
        stage.Upload(device);
        var start = Stopwatch.GetTimestamp();
        decoder.Forward(layout.Bind(stage, stage.Slice(tokens)));
        Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private void Synchronize()
    {
        if (device.type == DeviceType.CUDA)
        {
            cuda.synchronize();
        }
    }
}
