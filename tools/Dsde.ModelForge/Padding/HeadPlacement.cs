namespace Dsde.ModelForge.Padding;

/// <summary>
/// Where the heads of a model go in a wider one, so that attention computes the same. A query head must stay with its key and value head;
/// where the wider model has fewer query heads to a group, the key and value head is stored several times. Inside a head the rotary
/// embedding turns dimension i with frequency θ^(−2i/d): in a head m times as wide that is the frequency of dimension m·i, so dimensions
/// are spread out, each half by itself.
/// </summary>
internal sealed class HeadPlacement
{
    /// <param name="source">Shape of the model.</param>
    /// <param name="wider">Shape to fit it into.</param>
    /// <exception cref="PaddingException">It doesn't fit.</exception>
    public HeadPlacement(DecoderShape source, DecoderShape wider)
    {
        var copies = (source.GroupSize + wider.GroupSize - 1) / wider.GroupSize;
        Require(
            wider.HeadDim % source.HeadDim == 0,
            $"A head is to be {wider.HeadDim} wide; give a multiple of the source's {source.HeadDim}, so that the rotary frequencies recur."
        );
        Require(
            source.KvHeadCount * copies <= wider.KvHeadCount,
            $"{wider.HeadCount} query heads on {wider.KvHeadCount} key and value heads don't hold the source's {source.HeadCount} on "
                + $"{source.KvHeadCount}; "
                + $"give at least {source.KvHeadCount * copies} key and value heads."
        );

        QueryRows = NewMap(wider.HeadCount * wider.HeadDim);
        for (var head = 0; head < source.HeadCount; head++)
        {
            var (kvHead, index) = (head / source.GroupSize, head % source.GroupSize);
            var placed = (((kvHead * copies) + (index / wider.GroupSize)) * wider.GroupSize) + (index % wider.GroupSize);
            Place(QueryRows, head, placed);
        }

        KvRows = NewMap(wider.KvHeadCount * wider.HeadDim);
        for (var placed = 0; placed < source.KvHeadCount * copies; placed++)
        {
            Place(KvRows, placed / copies, placed);
        }

        void Place(int[] rows, int head, int placed)
        {
            var (half, stride) = (source.HeadDim / 2, wider.HeadDim / source.HeadDim);
            for (var i = 0; i < source.HeadDim; i++)
            {
                var dimension = i < half ? i * stride : (wider.HeadDim / 2) + ((i - half) * stride);
                rows[(placed * wider.HeadDim) + dimension] = (head * source.HeadDim) + i;
            }
        }
    }

    /// <summary>Per row of the wider query projection the source's row; −1 for zeros.</summary>
    public int[] QueryRows { get; }

    /// <summary>The same for the key and the value projection.</summary>
    public int[] KvRows { get; }

    private static int[] NewMap(int length)
    {
        var map = new int[length];
        Array.Fill(map, -1);
        return map;
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new PaddingException(message);
        }
    }
}
