using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Cpu.Threads;

namespace Dsde.Engine.Tests.Cpu;

/// <summary>A random linear layer with fp32 results, its rows, and what double precision makes of them.</summary>
internal sealed unsafe class LinearCase
{
    private const double LargestValue = 100;
    private const double RoundingUnit = 1.0 / (1 << 24);

    private readonly bool _isBf16;
    private readonly int _rows;
    private readonly int _inputs;
    private readonly int _outputs;
    private readonly float[] _x; // [rows, inputs], representable in the type
    private readonly float[] _weights; // [outputs, inputs]
    private readonly float[] _bias; // [outputs], or none

    private double _flushed; // what products of subnormal numbers may come to

    private LinearCase(Random random, bool isBf16, int rows, int inputs, int outputs)
    {
        (_isBf16, _rows, _inputs, _outputs) = (isBf16, rows, inputs, outputs);
        _x = Values(random, rows * inputs);
        _weights = Values(random, outputs * inputs);
        _bias = random.Next(2) == 0 ? Values(random, outputs) : [];
    }

    public static LinearCase Create(Random random, bool isBf16, int maxRows) =>
        new(random, isBf16, random.Next(1, maxRows + 1), random.Next(1, random.Next(2) == 0 ? 40 : 700), random.Next(1, 150));

    public static LinearCase Create(Random random, bool isBf16, int rows, int inputs, int outputs) =>
        new(random, isBf16, rows, inputs, outputs);

    /// <summary>Sets a share of weights and rows to a value, of either sign.</summary>
    public void Spread(Random random, float value, double share)
    {
        _flushed = 2.0 * _inputs * Math.Abs(value) * LargestValue;
        foreach (var values in (float[][])[_x, _weights])
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = random.NextDouble() < share ? Round(random.Next(2) == 0 ? value : -value) : values[i];
            }
        }
    }

    /// <summary>Puts a value into one place of the rows or of the weights.</summary>
    public void PutOneInto(Random random, float value)
    {
        var values = random.Next(2) == 0 ? _x : _weights;
        values[random.Next(values.Length)] = value;
    }

    /// <summary>What a kernel makes of it. <c>[rows, outputs]</c></summary>
    public float[] Run(string kernel, int threads) => Run(KernelChooser.Present.Choose(kernel, _isBf16).Kernel!, null, threads);

    /// <summary>What a kernel makes of it in some tiles. <c>[rows, outputs]</c></summary>
    public float[] Run(LinearKernel kernel, TilePlan? plan, int threads = 1) =>
        _isBf16 ? Run<ushort, Bf16Element>(kernel, plan, threads) : Run<float, Fp32Element>(kernel, plan, threads);

    /// <summary>
    /// What double precision makes of each output, and the sum of the magnitudes it is added up from. <c>[rows, outputs]</c>
    /// </summary>
    public (double Sum, double Magnitude)[] Expected() =>
        [.. Enumerable.Range(0, _rows * _outputs).Select(i => Expected(i / _outputs, i % _outputs))];

    /// <summary>Compares: as many roundings of the largest partial sum as there are inputs.</summary>
    public void ShouldAgree(float[] actual, (double Sum, double Magnitude)[] expected, string kernel)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            var (sum, magnitude) = expected[i];
            var tolerance = (magnitude * (_inputs + 2) * RoundingUnit) + _flushed;
            if (double.IsFinite(sum) ? !(Math.Abs(actual[i] - sum) <= tolerance) : !actual[i].Equals((float)sum))
            {
                Assert.Fail(
                    $"{kernel}, {_rows} rows, {_inputs} inputs, {_outputs} outputs: row {i / _outputs}, output {i % _outputs} is "
                        + $"{actual[i]} instead of {sum}"
                );
            }
        }
    }

    private (double Sum, double Magnitude) Expected(int row, int output)
    {
        double sum = _bias.Length > 0 ? _bias[output] : 0,
            magnitude = Math.Abs(sum);
        for (var i = 0; i < _inputs; i++)
        {
            var product = (double)_x[(row * _inputs) + i] * _weights[(output * _inputs) + i];
            sum += product;
            magnitude += Math.Abs(product);
        }

        return (sum, magnitude);
    }

    private float[] Run<T, TElement>(LinearKernel kernel, TilePlan? plan, int threads)
        where T : unmanaged
        where TElement : IElement<T>
    {
        using var memory = new PackedMemory();
        using var team = new ThreadTeam(threads);
        using var work = new LinearWork<T, TElement>(kernel) { Plan = plan };
        var weight = PackedWeight.Create(memory, _outputs, _inputs, sizeof(T), isGated: false, _bias);
        var results = new float[_rows * _outputs];
        var (x, weights) = (Narrow<T, TElement>(_x), Narrow<T, TElement>(_weights));
        fixed (
            T* source = weights,
                rows = x
        )
        fixed (float* target = results)
        {
            new WeightPacker().Run(team, weight, source, 0, _outputs);
            work.Run(team, weight, rows, _rows, LinearFinish.KeepWide, null, target);
        }

        return results;
    }

    private static T[] Narrow<T, TElement>(float[] values)
        where T : unmanaged
        where TElement : IElement<T>
    {
        var narrow = new T[values.Length];
        fixed (T* target = narrow)
        {
            for (var i = 0; i < values.Length; i++)
            {
                TElement.StoreOne(target + i, values[i]);
            }
        }

        return narrow;
    }

    private float[] Values(Random random, int count)
    {
        var values = new float[count];
        foreach (ref var value in values.AsSpan())
        {
            value = Round((float)((random.NextDouble() - 0.5) * LargestValue * Math.Pow(10, -random.Next(6))));
        }

        return values;
    }

    private float Round(float value) => _isBf16 ? BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(value) & ~0xFFFF) : value;
}
