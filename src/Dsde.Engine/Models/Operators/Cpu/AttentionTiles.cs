using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Kv;

namespace Dsde.Engine.Models.Operators.Cpu;

/// <summary>The largest tiles that a kernel has registers for. The result of a query does not depend on them.</summary>
/// <param name="Scores">Queries and sixteens of positions, of which a block of the cache has two.</param>
/// <param name="Values">Weights of queries and sixteens of numbers of a head.</param>
internal readonly record struct AttentionTiles(TileShape Scores, TileShape Values)
{
    /// <summary>No tile has more queries.</summary>
    public const int MostRows = 12;

    private const int MostValueRows = 6;
    private const int MostValueBlocks = 4;

    /// <summary>Those of a kernel.</summary>
    public static AttentionTiles For(LinearKernel kernel) =>
        new(
            Largest(kernel, new TileShape(MostRows, BlockTable.BlockLength / PartialRow.VectorWidth)),
            Largest(kernel, new TileShape(MostValueRows, MostValueBlocks))
        );

    /// <summary>The most sums at once within bounds; of as many, the one with more blocks.</summary>
    private static TileShape Largest(LinearKernel kernel, TileShape most)
    {
        var largest = default(TileShape);
        for (var blocks = most.Blocks; blocks > 0; blocks--)
        {
            for (var rows = Math.Min(most.Rows, kernel.Tiles.MaxTileRows); rows > 0; rows--)
            {
                var tile = new TileShape(rows, blocks);
                if (kernel.Form.Fits(tile) && rows * blocks > largest.Rows * largest.Blocks)
                {
                    largest = tile;
                }
            }
        }

        return largest;
    }
}
