namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>
/// A linear layer's weight as the kernels read it: <c>[block of 16 outputs][step][16 outputs]</c>, where a step is four bytes of each
/// output: one number of fp32, two of bf16. One 64-byte load feeds sixteen sums. Zeros fill the last block and the last group of steps.
/// Of gated layers blocks of gate and up take turns, so that both halves of a product come out of one tile.
/// </summary>
internal sealed unsafe class PackedWeight
{
    /// <summary>Outputs of a block.</summary>
    public const int BlockWidth = 16;

    private PackedWeight(uint* steps, float* bias, int outputCount, int inputCount, int elementSize, bool isGated)
    {
        Steps = steps;
        Bias = bias;
        OutputCount = outputCount;
        InputCount = inputCount;
        ElementSize = elementSize;
        IsGated = isGated;
    }

    /// <summary>First step of the first block.</summary>
    public uint* Steps { get; }

    /// <summary>One number per packed output, zeros for those that fill up; null without a bias.</summary>
    public float* Bias { get; }

    /// <summary>Outputs, gates included.</summary>
    public int OutputCount { get; }

    /// <summary>Inputs.</summary>
    public int InputCount { get; }

    /// <summary>Bytes of a number.</summary>
    public int ElementSize { get; }

    /// <summary>Whether the first half of the outputs gates the second.</summary>
    public bool IsGated { get; }

    /// <summary>Numbers of a result's row.</summary>
    public int ResultWidth => IsGated ? OutputCount / 2 : OutputCount;

    /// <summary>Blocks of outputs.</summary>
    public int BlockCount => CountBlocks(OutputCount, IsGated);

    /// <summary>Steps, those that fill the last group included.</summary>
    public int StepCount => CountSteps(InputCount, ElementSize);

    /// <summary>Bytes from block to block.</summary>
    public nint BlockStride => (nint)StepCount * BlockWidth * sizeof(uint);

    /// <summary>Room for a weight, with zeros where no output is.</summary>
    /// <param name="memory">Where it is, and stays.</param>
    /// <param name="outputCount">Outputs, gates included.</param>
    /// <param name="inputCount">Inputs.</param>
    /// <param name="elementSize">2 for bf16, 4 for fp32.</param>
    /// <param name="isGated">Whether the first half of the outputs gates the second.</param>
    /// <param name="bias">One number per output; none without a bias.</param>
    public static PackedWeight Create(
        PackedMemory memory,
        int outputCount,
        int inputCount,
        int elementSize,
        bool isGated,
        ReadOnlySpan<float> bias
    )
    {
        var outputs = (long)CountBlocks(outputCount, isGated) * BlockWidth;
        var steps = (uint*)memory.Take(outputs * CountSteps(inputCount, elementSize) * sizeof(uint));
        var packedBias = bias.IsEmpty ? null : (float*)memory.Take(outputs * sizeof(float));
        var weight = new PackedWeight(steps, packedBias, outputCount, inputCount, elementSize, isGated);
        var mixed = Math.Min(2, weight.BlockCount); // the last block of each half, where not all places are taken
        new Span<byte>((byte*)steps + ((weight.BlockCount - mixed) * weight.BlockStride), (int)(mixed * weight.BlockStride)).Clear();
        if (!bias.IsEmpty)
        {
            new Span<float>(packedBias, (int)outputs).Clear();
            for (var output = 0; output < outputCount; output++)
            {
                packedBias[weight.Place(output)] = bias[output];
            }
        }

        return weight;
    }

    /// <summary>The first outputs of this, without a copy.</summary>
    public PackedWeight First(int outputCount) => new(Steps, Bias, outputCount, InputCount, ElementSize, IsGated);

    /// <summary>Where an output is among the packed ones.</summary>
    public int Place(int output)
    {
        if (!IsGated)
        {
            return output;
        }

        var half = OutputCount / 2;
        var (index, part) = output < half ? (output, 0) : (output - half, 1);
        return (((2 * (index / BlockWidth)) + part) * BlockWidth) + (index % BlockWidth);
    }

    /// <summary>An output's first step; the others follow at <see cref="BlockWidth"/>.</summary>
    public uint* FirstStep(int output)
    {
        var (block, lane) = Math.DivRem(Place(output), BlockWidth);
        return Steps + ((long)block * StepCount * BlockWidth) + lane;
    }

    private static int CountBlocks(int outputCount, bool isGated) =>
        isGated ? 2 * (((outputCount / 2) + BlockWidth - 1) / BlockWidth) : (outputCount + BlockWidth - 1) / BlockWidth;

    private static int CountSteps(int inputCount, int elementSize)
    {
        var inputs = sizeof(uint) / elementSize * LinearKernel.StepGroup;
        return (inputCount + inputs - 1) / inputs * LinearKernel.StepGroup;
    }
}
