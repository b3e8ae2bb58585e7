using System.Diagnostics;
using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Cpu.Threads;

namespace Dsde.KernelSearch;

/// <summary>The linear layers of a decoder of 144 million parameters: zeros, whose products take as long as any.</summary>
internal sealed unsafe class LayerStack : IDisposable
{
    private const int LayerCount = 12;
    private const int Hidden = 1024;
    private const int Intermediate = 2816;
    private const int Vocabulary = 2048;
    private const int MaxRows = 512;

    private readonly PackedMemory _memory = new();
    private readonly NativeBuffer _input = new();
    private readonly NativeBuffer _output = new();
    private readonly List<PackedWeight> _weights = [];

    public LayerStack(int elementSize)
    {
        for (var layer = 0; layer < LayerCount; layer++)
        {
            Add(2 * Hidden, Hidden);
            Add(Hidden, Hidden);
            Add(2 * Intermediate, Hidden, isGated: true);
            Add(Hidden, Intermediate);
        }

        Add(Vocabulary, Hidden);

        void Add(int outputs, int inputs, bool isGated = false)
        {
            var weight = PackedWeight.Create(_memory, outputs, inputs, elementSize, isGated, []);
            new Span<byte>(weight.Steps, (int)(weight.BlockCount * weight.BlockStride)).Clear(); // touched, in pages of its own
            _weights.Add(weight);
        }
    }

    /// <summary>Bytes of all weights.</summary>
    public long ByteCount => _weights.Sum(weight => weight.BlockCount * (long)weight.BlockStride);

    /// <summary>Runs all layers once, one after the other, and keeps the least time that each of them has taken.</summary>
    /// <param name="team">Who does it.</param>
    /// <param name="work">By what.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="best">Milliseconds by input and output width.</param>
    public void Run<T, TElement>(ThreadTeam team, LinearWork<T, TElement> work, int rows, Dictionary<(int, int), double> best)
        where T : unmanaged
        where TElement : IElement<T>
    {
        var x = _input.Items<T>(MaxRows * Intermediate);
        var y = _output.Items<T>(MaxRows * 2L * Intermediate);
        foreach (var weight in _weights)
        {
            var start = Stopwatch.GetTimestamp();
            work.Run(team, weight, x, rows, weight.IsGated ? LinearFinish.GateSilu : LinearFinish.Keep, null, y);
            var elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            var shape = (weight.InputCount, weight.OutputCount);
            best[shape] = Math.Min(best.GetValueOrDefault(shape, double.PositiveInfinity), elapsed);
        }
    }

    /// <summary>Milliseconds of all layers together, from those of each.</summary>
    public double Total(Dictionary<(int, int), double> best) => _weights.Sum(weight => best[(weight.InputCount, weight.OutputCount)]);

    public void Dispose()
    {
        _memory.Dispose();
        _input.Dispose();
        _output.Dispose();
    }
}
