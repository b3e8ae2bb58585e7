using Dsde.Engine.Models;
using Dsde.Engine.Models.Passes;
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

    public float[] LogitsAfter(params int[] prefix) => Forward(prefix, [prefix.Length - 1]);

    /// <summary>Logits of every position: those at i follow the first i + 1 tokens.</summary>
    public float[][] LogitsOfAll(int[] tokenIds) => [.. Forward(tokenIds, []).Chunk(TestPair.TargetShape.Vocabulary)];

    public void Dispose() => _target.Dispose();

    private float[] Forward(int[] tokenIds, ReadOnlySpan<long> wanted)
    {
        using var mode = inference_mode();
        using var scope = NewDisposeScope();
        var layout = new PassLayout(_target.Cache);
        var stage = new IndexStage();
        layout.Add(0, 0, tokenIds.Length);
        layout.Stage(stage, wanted);
        var tokens = stage.Add(Array.ConvertAll(tokenIds, id => (long)id));
        stage.Upload(CPU);
        return _target.Forward(layout.Bind(stage, stage.Slice(tokens))).data<float>().ToArray();
    }
}
