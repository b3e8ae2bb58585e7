using Dsde.Engine.Models.Passes;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators.Attention;

/// <summary>What the variable-length flash kernel wants to know of a pass. Legend as in <see cref="PassRows"/>.</summary>
/// <param name="QueryBounds">First row of each sequence, and R at the end. <c>[N + 1] i32</c></param>
/// <param name="KeyBounds">First key of each sequence among those of all, and their number at the end. <c>[N + 1] i32</c></param>
/// <param name="Most">An empty tensor on the host whose shape tells the most rows and the most keys of a sequence. <c>[Q, T, 0]</c></param>
internal sealed record RaggedIndices(Tensor QueryBounds, Tensor KeyBounds, Tensor Most) : IDisposable
{
    /// <summary>Those of a pass.</summary>
    public static RaggedIndices Create(PassRows rows)
    {
        using var scope = NewDisposeScope();
        var sequences = rows.Spans.Count;
        var bounds = rows.Bounds.to(ScalarType.Int32);
        return new RaggedIndices(
            bounds.narrow(0, 0, sequences + 1).DetachFromDisposeScope(),
            bounds.narrow(0, sequences + 1, sequences + 1).DetachFromDisposeScope(),
            empty([rows.QueryCount, rows.KeyCount, 0]).DetachFromDisposeScope()
        );
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        QueryBounds.Dispose();
        KeyBounds.Dispose();
        Most.Dispose();
    }
}
