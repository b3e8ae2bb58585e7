namespace Dsde.Engine.Batching;

/// <summary>
/// Most sequences that may run at once: the batch size, halved when a round fails (the device ran out of memory, or a sequence made the
/// engine throw), and regained one by one after many good rounds. Each further failure doubles how many, so that an engine whose batch
/// never fits does not keep trying.
/// </summary>
internal sealed class BatchLimit(int batchSize)
{
    private const int FirstPatience = 64;
    private const int LongestPatience = 1 << 16;
    private int _reduction;
    private int _patience = FirstPatience / 2;
    private int _goodRounds;

    /// <summary>The limit now.</summary>
    public int Current => batchSize - _reduction;

    /// <summary>Times it was shrunk.</summary>
    public long Failures { get; private set; }

    /// <summary>So many sequences were too many.</summary>
    public void Shrink(int runningCount)
    {
        Failures++;
        _reduction = batchSize - Math.Max(1, Math.Min(Current, runningCount) / 2);
        _patience = Math.Min(LongestPatience, _patience * 2);
        _goodRounds = 0;
    }

    /// <summary>A round went well.</summary>
    public void AddGoodRound()
    {
        if (_reduction > 0 && ++_goodRounds >= _patience)
        {
            _reduction--;
            _goodRounds = 0;
        }
    }
}
