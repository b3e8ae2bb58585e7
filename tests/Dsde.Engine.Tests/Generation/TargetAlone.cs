using Dsde.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Tests.Generation;

/// <summary>A target without an engine around it: its raw logits after any prefix, one forward over the whole of it each time.</summary>
internal sealed class TargetAlone : IDisposable
{
    private readonly CachedDecoder _target;

    public TargetAlone(string folder)
    {
        var opened = ModelFolder.Open(folder);
        EndTokens = [.. opened.Config.EosTokenIds];
        using var mode = inference_mode();
        _target = new CachedDecoder(opened, 1, TestPair.TargetShape.Context, ScalarType.Float32, CPU);
    }

    public HashSet<int> EndTokens { get; }

    public float[] LogitsAfter(params int[] prefix)
    {
        using var mode = inference_mode();
        using var scope = NewDisposeScope();
        var layout = new PassLayout(_target.Cache.MaxLength);
        var stage = new IndexStage();
        layout.Add(0, 0, prefix.Length);
        layout.Stage(stage, [prefix.Length - 1]);
        var tokens = stage.Add(Array.ConvertAll(prefix, id => (long)id));
        stage.Upload(CPU);
        return _target.Forward(layout.Bind(stage, stage.Slice(tokens))).data<float>().ToArray();
    }

    public void Dispose() => _target.Dispose();
}
