using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>Rows over the vocabulary that are 0 almost everywhere.</summary>
internal static class SparseRows
{
    /// <summary>Makes rows from their cells that are not 0, in the caller's scope. Result <c>[n, V] f32</c>.</summary>
    /// <param name="cells">row · V + token id, each at most once.</param>
    /// <param name="values">One per cell.</param>
    /// <param name="rowCount">Rows (n).</param>
    /// <param name="vocabularySize">Row length (V).</param>
    /// <param name="device">Device that the rows are put on.</param>
    public static Tensor Create(long[] cells, float[] values, int rowCount, int vocabularySize, Device device)
    {
        using var scope = NewDisposeScope();
        return zeros([(long)rowCount * vocabularySize], dtype: ScalarType.Float32, device: device)
            .scatter_(0, tensor(cells, device: device), tensor(values, device: device))
            .view(rowCount, vocabularySize)
            .MoveToOuterDisposeScope();
    }
}
