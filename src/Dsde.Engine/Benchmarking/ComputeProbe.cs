using System.Diagnostics;
using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Cpu.Threads;

namespace Dsde.Engine.Benchmarking;

/// <summary>
/// Times a kernel where nothing comes from memory, with all threads: the most that the processor multiplies. Threads that share a core's
/// vector units, as those of virtual machines may without saying so, reach together what one of them reaches alone.
/// </summary>
internal sealed unsafe class ComputeProbe : ITeamWork, IDisposable
{
    private const int Rows = 32;
    private const int Steps = 128; // what a tile takes then stays in a first-level cache
    private const int ItemsPerThread = 4;
    private const int Repetitions = 1000;

    private readonly LinearKernel _kernel;
    private readonly ThreadTeam _team;
    private readonly TileShape _tile;
    private readonly int _numbersPerStep;
    private readonly NativeBuffer _weights = new();
    private readonly NativeBuffer _activations = new();

    /// <param name="kernel">What multiplies.</param>
    /// <param name="elementSize">Bytes of a number.</param>
    /// <param name="threadCount">Threads.</param>
    public ComputeProbe(LinearKernel kernel, int elementSize, int threadCount)
    {
        _kernel = kernel;
        _team = new ThreadTeam(threadCount);
        _numbersPerStep = sizeof(uint) / elementSize;
        var plan = kernel.Tiles.Find(Rows);
        _tile = new TileShape(plan.TileRows, plan.Blocks);
        _weights.Items<byte>(_tile.Blocks * BlockStride); // zeros, which take as long as any
        _activations.Items<byte>(_tile.Rows * Steps * kernel.Form.StepBytes);
    }

    private static nint BlockStride => Steps * PackedWeight.BlockWidth * sizeof(uint);

    /// <summary>Floating-point operations per second; a product and its addition are two.</summary>
    public double Measure()
    {
        var items = _team.ThreadCount * ItemsPerThread;
        var products = (long)Steps * _numbersPerStep * _tile.Rows * _tile.Blocks * PackedWeight.BlockWidth * Repetitions * items;
        var start = Stopwatch.GetTimestamp();
        _team.Run(this, items);
        return 2 * products / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <inheritdoc/>
    public void Run(int item)
    {
        var width = _tile.Blocks * PackedWeight.BlockWidth;
        var sums = stackalloc float[_tile.Rows * width];
        var weights = _weights.Items<byte>(0);
        var activations = _activations.Items<byte>(0);
        for (var i = 0; i < Repetitions; i++)
        {
            _kernel.Multiply(
                _tile,
                weights,
                BlockStride,
                activations,
                Steps,
                sums,
                width * sizeof(float),
                new WeightsAhead((nint)weights, 0)
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _team.Dispose();
        _weights.Dispose();
        _activations.Dispose();
    }
}
