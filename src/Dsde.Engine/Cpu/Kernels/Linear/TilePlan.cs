namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>How a number of rows is computed. The result of a row does not depend on it.</summary>
/// <param name="TileRows">Most rows of a tile; all rows are cut into as few tiles of nearly the same height.</param>
/// <param name="Blocks">Blocks of outputs of a tile.</param>
/// <param name="ItemBlocks">
/// Blocks that a thread takes at once: many, so that memory is read in long stretches, few, so that threads end together.
/// </param>
internal readonly record struct TilePlan(int TileRows, int Blocks, int ItemBlocks)
{
    /// <summary>Tiles that some rows are cut into.</summary>
    public int CountTiles(int rows) => (rows + TileRows - 1) / TileRows;

    /// <summary>Rows before a tile.</summary>
    /// <param name="tile">Counted from 0, up to the number of tiles.</param>
    /// <param name="rows">Rows of all tiles.</param>
    public int FirstRow(int tile, int rows) => (int)((long)tile * rows / CountTiles(rows));
}
