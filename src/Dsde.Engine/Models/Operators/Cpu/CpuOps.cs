using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Cpu.Threads;
using Dsde.Engine.Kv;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators.Cpu;

/// <summary>
/// The operators on a processor's vector units, where torch's matrix products reach half the speed of memory at few rows. A row's results
/// are bitwise the same whatever rows are beside it. Owns its threads, scratch memory and the weights it has loaded.
/// </summary>
/// <typeparam name="T">One number of weights, activations and cache.</typeparam>
/// <typeparam name="TElement">How it is kept.</typeparam>
/// <param name="threadCount">Threads, the caller's included.</param>
/// <param name="kernel">What multiplies.</param>
internal sealed unsafe class CpuOps<T, TElement>(int threadCount, LinearKernel kernel) : IDecoderOps, IDisposable
    where T : unmanaged
    where TElement : IElement<T>
{
    /// <summary>Numbers of a weight that are converted at once.</summary>
    private const long ConvertedNumbers = 8L << 20;

    private static readonly ScalarType Type = typeof(TElement) == typeof(Bf16Element) ? ScalarType.BFloat16 : ScalarType.Float32;

    private readonly ThreadTeam _team = new(threadCount);
    private readonly PackedMemory _weights = new();
    private readonly WeightPacker _packer = new();
    private readonly Dictionary<Tensor, NativeBuffer> _normWeights = new(ReferenceEqualityComparer.Instance);
    private readonly LinearWork<T, TElement> _linear = new(kernel);
    private readonly NormWork<T, TElement> _norm = new();
    private readonly AttentionWork<T, TElement> _attention = new(kernel);

    /// <inheritdoc/>
    public KvLayout CacheLayout => KvLayout.Weights;

    /// <inheritdoc/>
    public LinearWeight Load(StoredLinear stored, ScalarType type, Device device)
    {
        using var scope = NewDisposeScope();
        var weight = PackedWeight.Create(
            _weights,
            (int)stored.Weights.Sum(part => part.shape[0]),
            (int)stored.Weights[0].shape[1],
            sizeof(T),
            stored.IsGated,
            stored.Biases.Count == 0 ? [] : cat([.. stored.Biases.Select(bias => bias.to(ScalarType.Float32))]).data<float>().ToArray()
        );
        var first = 0;
        foreach (var part in stored.Weights)
        {
            Pack(weight, part, first);
            first += (int)part.shape[0];
        }

        return new CpuWeight(weight);
    }

    /// <inheritdoc/>
    public Tensor Embed(Tensor tokenIds, LinearWeight embedding)
    {
        using var ids = new ContiguousTensor(tokenIds);
        var count = (int)tokenIds.shape[0];
        var result = empty([count, embedding.InputCount], Type);
        Embed(ids.Address<long>(), embedding, (T*)NativeTensor.Address(result), count);
        return result;
    }

    /// <inheritdoc/>
    public Tensor RmsNorm(Tensor x, Tensor weight, double eps)
    {
        using var input = new ContiguousTensor(x);
        var (rows, width) = ((int)x.shape[0], (int)x.shape[1]);
        var result = empty([rows, width], Type);
        Norm(input.Address<T>(), weight, (T*)NativeTensor.Address(result), rows, width, eps);
        return result;
    }

    /// <inheritdoc/>
    public Tensor Linear(Tensor x, LinearWeight weight) => Multiply(x, weight, LinearFinish.Keep, Type);

    /// <inheritdoc/>
    public Tensor LinearAdd(Tensor x, LinearWeight weight, Tensor residual) =>
        Multiply(x, weight, LinearFinish.AddResidual, Type, residual);

    /// <inheritdoc/>
    public Tensor GatedLinear(Tensor x, LinearWeight gateUp, GateActivation activation) =>
        Multiply(x, gateUp, activation == GateActivation.Silu ? LinearFinish.GateSilu : LinearFinish.GateGelu, Type);

    /// <inheritdoc/>
    public Tensor Logits(Tensor x, LinearWeight head) => Multiply(x, head, LinearFinish.KeepWide, ScalarType.Float32);

    /// <inheritdoc/>
    public Tensor Attend(Tensor qkv, AttentionShape shape, PassRows rows, Tensor keys, Tensor values)
    {
        using var input = new ContiguousTensor(qkv);
        var result = empty([qkv.shape[0], (long)shape.HeadCount * shape.HeadDim], Type);
        Attend(input.Address<T>(), shape, rows, keys, values, (T*)NativeTensor.Address(result));
        return result;
    }

    /// <inheritdoc/>
    public IDecoderPass CreatePass(
        ModelConfig config,
        DecoderWeights weights,
        IReadOnlyList<AttentionShape> attention,
        float embeddingScale
    ) => new CpuPass<T, TElement>(this, config, weights, attention, embeddingScale);

    /// <summary><see cref="IDecoderOps.Embed"/> in memory. <paramref name="result"/>: <c>[count, H]</c>.</summary>
    public static void Embed(long* tokenIds, LinearWeight embedding, T* result, int count)
    {
        var packed = ((CpuWeight)embedding).Packed;
        for (var i = 0; i < count; i++)
        {
            WeightPacker.Unpack(packed, (int)tokenIds[i], result + ((long)i * packed.InputCount));
        }
    }

    /// <summary>
    /// <see cref="RmsNorm"/> in memory. <paramref name="x"/> and <paramref name="result"/>, which may be the same: <c>[R, width]</c>.
    /// </summary>
    public void Norm(T* x, Tensor weight, T* result, int rows, int width, double eps)
    {
        if (!_normWeights.TryGetValue(weight, out var wide))
        {
            wide = new NativeBuffer();
            using var single = weight.to(ScalarType.Float32); // Gemma's are kept wider than its rows
            new ReadOnlySpan<float>(NativeTensor.Address(single), width).CopyTo(new Span<float>(wide.Floats(width), width));
            _normWeights.Add(weight, wide);
        }

        _norm.Run(_team, x, wide.Floats(width), result, rows, width, eps);
    }

    /// <summary>
    /// A linear layer in memory. <paramref name="x"/>: <c>[R, in]</c>; the others as <see cref="LinearWork{T, TElement}.Run(ThreadTeam,
    /// PackedWeight, T*, int, LinearFinish, T*, void*)"/> takes them.
    /// </summary>
    public void Multiply(T* x, LinearWeight weight, int rows, LinearFinish finish, T* residual, void* result) =>
        _linear.Run(_team, ((CpuWeight)weight).Packed, x, rows, finish, residual, result);

    /// <summary><see cref="IDecoderOps.Attend"/> in memory.</summary>
    public void Attend(T* qkv, AttentionShape shape, PassRows rows, Tensor keys, Tensor values, T* result)
    {
        var arguments = new AttentionArguments<T>
        {
            Qkv = qkv,
            Keys = (T*)NativeTensor.Address(keys),
            Values = (T*)NativeTensor.Address(values),
            Table = rows.Table,
            Cos = (T*)NativeTensor.Address(shape.Rotary.Cos),
            Sin = (T*)NativeTensor.Address(shape.Rotary.Sin),
            QueryNorm = shape.QueryNorm is { } queryNorm ? (T*)NativeTensor.Address(queryNorm) : null,
            KeyNorm = shape.KeyNorm is { } keyNorm ? (T*)NativeTensor.Address(keyNorm) : null,
            Result = result,
        };
        _attention.Run(_team, arguments, shape, rows.Spans);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _team.Dispose();
        _linear.Dispose();
        _weights.Dispose();
        foreach (var weight in _normWeights.Values)
        {
            weight.Dispose();
        }
    }

    private Tensor Multiply(Tensor x, LinearWeight weight, LinearFinish finish, ScalarType resultType, Tensor? residual = null)
    {
        using var input = new ContiguousTensor(x);
        using var added = residual is null ? default : new ContiguousTensor(residual);
        var result = empty([x.shape[0], ((CpuWeight)weight).Packed.ResultWidth], resultType);
        Multiply(
            input.Address<T>(),
            weight,
            (int)x.shape[0],
            finish,
            residual is null ? null : added.Address<T>(),
            NativeTensor.Address(result)
        );
        return result;
    }

    /// <summary>Packs a part of a weight, converting a piece at a time. <paramref name="part"/>: <c>[out, in]</c>.</summary>
    private void Pack(PackedWeight weight, Tensor part, int first)
    {
        var (rows, width) = (part.shape[0], part.shape[1]);
        var piece = Math.Max(PackedWeight.BlockWidth, ConvertedNumbers / width / PackedWeight.BlockWidth * PackedWeight.BlockWidth);
        for (long row = 0; row < rows; row += piece)
        {
            using var scope = NewDisposeScope();
            using var converted = new ContiguousTensor(part.narrow(0, row, Math.Min(piece, rows - row)).to(Type));
            _packer.Run(_team, weight, converted.Address<T>(), first + (int)row, (int)Math.Min(piece, rows - row));
        }
    }
}
