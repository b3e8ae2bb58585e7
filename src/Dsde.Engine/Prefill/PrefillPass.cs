using Dsde.Engine.Models;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Sequences;
using static TorchSharp.torch;

namespace Dsde.Engine.Prefill;

/// <summary>One model's pass over known tokens. Only rows that somebody wants are projected to logits.</summary>
internal sealed class PrefillPass(CachedDecoder model, Device device)
{
    private readonly PassLayout _layout = new(model.Cache);
    private readonly List<long> _tokens = [];
    private readonly List<long> _wantedRows = [];
    private readonly List<(Sequence Sequence, int Position)> _wanted = [];
    private readonly List<(int Slot, int End)> _ends = [];

    /// <summary>The rows with logits, in order: whose they are, and the position that they foretell.</summary>
    public IReadOnlyList<(Sequence Sequence, int Position)> Wanted => _wanted;

    /// <summary>Adds positions [first, end) of a sequence; logits are wanted of those from <paramref name="wantedFrom"/> on.</summary>
    public void Add(Sequence sequence, int first, int end, int wantedFrom)
    {
        if (first == end)
        {
            return;
        }

        _layout.Add(sequence.Slot, first, end - first);
        _ends.Add((sequence.Slot, end));
        for (var position = first; position < end; position++)
        {
            if (position >= wantedFrom)
            {
                _wantedRows.Add(_tokens.Count);
                _wanted.Add((sequence, position + 1));
            }

            _tokens.Add(sequence.TokenSpan[position]);
        }
    }

    /// <summary>Runs what was added. Logits of the wanted rows, <c>[n, V] f32</c>; null if there are none.</summary>
    public Tensor? Run()
    {
        if (_tokens.Count == 0)
        {
            return null;
        }

        // The least a pass gives is the logits of one row; nobody reads them if none are wanted.
        var stage = new IndexStage();
        _layout.Stage(stage, _wantedRows.Count > 0 ? _wantedRows.ToArray() : [0]);
        var tokens = stage.Add(_tokens.ToArray());
        stage.Upload(device);
        var logits = model.Forward(_layout.Bind(stage, stage.Slice(tokens)));
        foreach (var (slot, end) in _ends)
        {
            model.Cache.SetLength(slot, end);
        }

        return _wantedRows.Count > 0 ? logits : null;
    }
}
