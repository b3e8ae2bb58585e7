namespace Dsde.ModelForge.Folders;

/// <summary>A weight to be written to a safetensors file.</summary>
/// <param name="Name">Its checkpoint name.</param>
/// <param name="Type">How its numbers are stored.</param>
/// <param name="Shape">Its dimensions, outermost first.</param>
/// <param name="Rows">Its rows in order, each as many numbers as the last dimension says. A row may be overwritten once the next is asked
/// for.</param>
internal sealed record StoredWeight(string Name, StoredType Type, IReadOnlyList<long> Shape, IEnumerable<float[]> Rows)
{
    /// <summary>Bytes in the file.</summary>
    public long ByteLength => Shape.Aggregate((long)Type, (bytes, length) => bytes * length);
}

/// <summary>Types that are written; the value is the bytes of a number.</summary>
internal enum StoredType
{
    BF16 = 2,
    F32 = 4,
}
