using Dsde.ModelForge.Corpus;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.ModelForge.Training;

/// <summary>The loss on a fixed set of held-out documents, workload by workload.</summary>
internal sealed class HeldOutLoss
{
    private const int Windows = 16;
    private const int Length = 256;

    private readonly Dictionary<string, Tensor> _windows = []; // [windows, length + 1]

    public HeldOutLoss(TextFormat format, int seed)
    {
        foreach (var workload in CorpusStream.Workloads)
        {
            var stream = new TokenStream(format, new CorpusStream(seed, Split.HeldOut), workload);
            _windows.Add(workload, stream.Next(Windows, Length).DetachFromDisposeScope());
        }
    }

    /// <summary>Mean cross-entropy by workload, in nats per token.</summary>
    public IReadOnlyDictionary<string, double> Measure(TrainableDecoder model)
    {
        using var mode = no_grad();
        return _windows.ToDictionary(pair => pair.Key, pair => Measure(model, pair.Value));
    }

    private static double Measure(TrainableDecoder model, Tensor windows)
    {
        using var scope = NewDisposeScope();
        var logits = model.Forward(windows.narrow(1, 0, Length));
        return nn.functional.cross_entropy(logits, windows.narrow(1, 1, Length).reshape(-1)).item<float>();
    }
}
