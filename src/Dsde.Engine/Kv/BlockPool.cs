namespace Dsde.Engine.Kv;

/// <summary>
/// Blocks by number, and how many refer to each. What was given back last is taken first, so that memory which nobody needed stays
/// untouched.
/// </summary>
internal sealed class BlockPool
{
    private readonly int[] _references;
    private readonly int[] _free; // a stack of FreeCount

    public BlockPool(int count)
    {
        _references = new int[count];
        _free = [.. Enumerable.Range(0, count).Reverse()];
        FreeCount = count;
    }

    /// <summary>Blocks in all.</summary>
    public int Count => _references.Length;

    /// <summary>Blocks that nobody refers to.</summary>
    public int FreeCount { get; private set; }

    /// <summary>How many refer to a block.</summary>
    public int ReferencesOf(int block) => _references[block];

    /// <summary>Takes a free block, for one.</summary>
    /// <exception cref="InvalidOperationException">There is none. Whoever takes blocks makes sure of them before.</exception>
    public int Take()
    {
        if (FreeCount == 0)
        {
            throw new InvalidOperationException($"All {Count} blocks for keys and values are in use.");
        }

        var block = _free[--FreeCount];
        _references[block] = 1;
        return block;
    }

    /// <summary>One more refers to a block that is in use.</summary>
    public void Share(int block)
    {
        RequireUsed(block);
        _references[block]++;
    }

    /// <summary>One less refers to a block; with the last it is free.</summary>
    public void Return(int block)
    {
        RequireUsed(block);
        if (--_references[block] == 0)
        {
            _free[FreeCount++] = block;
        }
    }

    private void RequireUsed(int block)
    {
        if (_references[block] <= 0)
        {
            throw new InvalidOperationException($"Block {block} is free, and somebody refers to it.");
        }
    }
}
