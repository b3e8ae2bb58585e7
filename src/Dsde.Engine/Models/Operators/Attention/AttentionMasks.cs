using Dsde.Engine.Models.Passes;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators.Attention;

/// <summary>The masks of one pass, one per window that its layers have.</summary>
internal sealed class AttentionMasks : IDisposable
{
    private readonly Dictionary<int, Tensor> _byWindow = [];

    /// <summary>See <see cref="PassRows.Mask"/>.</summary>
    public Tensor? Find(PassRows rows, int headsPerGroup, ScalarType type, int? window)
    {
        var hides = window < rows.KeyCount; // a longer window hides nothing
        if (rows.SequenceCount == 1 && rows.QueryCount == 1 && !hides)
        {
            return null;
        }

        var key = hides ? window!.Value : 0;
        if (!_byWindow.TryGetValue(key, out var mask))
        {
            mask = Make(rows, headsPerGroup, type, key);
            _byWindow.Add(key, mask);
        }

        return mask;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var mask in _byWindow.Values)
        {
            mask.Dispose();
        }
    }

    /// <param name="rows">The pass.</param>
    /// <param name="headsPerGroup">Query heads of a key head.</param>
    /// <param name="type">Type of the mask.</param>
    /// <param name="window">Positions seen; 0 for all.</param>
    private static Tensor Make(PassRows rows, int headsPerGroup, ScalarType type, int window)
    {
        using var scope = NewDisposeScope();
        var positions = Scalars.Range(rows.KeyCount, rows.LastKeys.device); // [T]
        var last = rows.LastKeys.unsqueeze(-1); // [N, Q, 1]
        var hidden = positions > last; // [N, Q, T]
        if (window > 0)
        {
            hidden = hidden.logical_or_(positions.unsqueeze(0).unsqueeze(0) <= last.sub(Scalars.Of(window)));
        }

        var mask = zeros(hidden.shape, dtype: type, device: rows.LastKeys.device).masked_fill_(hidden, Scalars.Of(double.NegativeInfinity));
        return mask.repeat_interleave(headsPerGroup, 1).unsqueeze(1).DetachFromDisposeScope();
    }
}
