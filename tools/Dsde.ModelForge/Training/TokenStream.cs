using Dsde.ModelForge.Corpus;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.ModelForge.Training;

/// <summary>Documents one behind the other as one long row of tokens, cut into windows.</summary>
internal sealed class TokenStream(TextFormat format, CorpusStream corpus, string? workload = null)
{
    private readonly List<int> _buffer = [];
    private int _next;

    /// <summary>The next windows. <c>[count, length + 1] i64</c>: each window's inputs, and its targets one further.</summary>
    public Tensor Next(int count, int length)
    {
        var needed = count * (length + 1);
        while (_buffer.Count < needed)
        {
            _buffer.AddRange(format.Encode(workload is null ? corpus.At(_next) : corpus.At(_next, workload)));
            _next++;
        }

        var window = tensor(_buffer.Take(needed).Select(id => (long)id).ToArray(), [count, length + 1]);
        _buffer.RemoveRange(0, needed);
        return window;
    }
}
