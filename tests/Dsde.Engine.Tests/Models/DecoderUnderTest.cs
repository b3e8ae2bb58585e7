using Dsde.Engine.Kv;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Passes;
using TorchSharp;

namespace Dsde.Engine.Tests.Models;

/// <summary>Passes of a decoder over rows given as plain numbers.</summary>
internal static class DecoderUnderTest
{
    /// <summary>Writes a model and loads it with four slots of 64 positions.</summary>
    public static CachedDecoder Load(
        string folder,
        TestModelShape shape,
        torch.ScalarType type = torch.ScalarType.Float32,
        params IReadOnlyList<torch.Device> devices
    )
    {
        TestModelFolder.Write(folder, shape);
        return LoadWritten(folder, type, devices);
    }

    /// <summary>Loads what is in a folder.</summary>
    public static CachedDecoder LoadWritten(
        string folder,
        torch.ScalarType type = torch.ScalarType.Float32,
        params IReadOnlyList<torch.Device> devices
    ) => new(ModelFolder.Open(folder), slotCount: 4, maxLength: 64, type, devices.Count == 0 ? [torch.CPU] : devices);

    /// <summary>One pass; logits of all its rows.</summary>
    public static List<double[]> Run(this CachedDecoder decoder, params (int Slot, int First, int[] Tokens)[] spans) =>
        Run(decoder.Forward, decoder.Cache, decoder.Device, spans);

    /// <summary>One pass of anything that gives logits.</summary>
    public static List<double[]> Run(
        Func<PassRows, torch.Tensor> forward,
        KvCache cache,
        torch.Device device,
        (int Slot, int First, int[] Tokens)[] spans
    )
    {
        using var scope = torch.NewDisposeScope();
        var layout = new PassLayout(cache);
        var stage = new IndexStage();
        foreach (var (slot, first, tokens) in spans)
        {
            layout.Add(slot, first, tokens.Length);
        }

        layout.Stage(stage, []);
        var range = stage.Add(spans.SelectMany(span => span.Tokens).Select(token => (long)token).ToArray());
        stage.Upload(device);
        var logits = forward(layout.Bind(stage, stage.Slice(range))).cpu();
        return [.. logits.data<float>().ToArray().Chunk((int)logits.shape[1]).Select(row => row.Select(value => (double)value).ToArray())];
    }

    /// <summary>Largest difference of two rows of logits.</summary>
    public static double DistanceTo(this double[] actual, double[] expected)
    {
        actual.Length.ShouldBe(expected.Length);
        return actual.Zip(expected, (a, b) => Math.Abs(a - b)).Max();
    }
}
