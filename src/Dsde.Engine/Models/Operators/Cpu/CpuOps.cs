using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Cpu.Threads;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators.Cpu;

/// <summary>
/// The operators on a processor's vector units, made for few rows: weights stream through once, at the speed of memory, where torch's
/// matrix products reach half of it. A row's results are bitwise the same whatever rows are beside it. Owns its threads and scratch memory;
/// the weights must outlive it.
/// </summary>
/// <typeparam name="T">One number of weights, activations and cache.</typeparam>
/// <typeparam name="TElement">How it is kept.</typeparam>
/// <param name="threadCount">Threads, the caller's included.</param>
/// <param name="isDeterministic">Whether any number of rows goes through the kernels; if not, torch multiplies many rows.</param>
internal sealed unsafe class CpuOps<T, TElement>(int threadCount, bool isDeterministic) : IDecoderOps, IDisposable
    where T : unmanaged
    where TElement : IElement<T>
{
    /// <summary>Most rows for which a linear layer is faster here than on torch. Measured on 2 cores with AVX-512, 1024 wide.</summary>
    private const int MaxFastRows = 32;

    private static readonly ScalarType Type = typeof(TElement) == typeof(Bf16Element) ? ScalarType.BFloat16 : ScalarType.Float32;

    private readonly TorchOps _torch = new();
    private readonly ThreadTeam _team = new(threadCount);
    private readonly NativeBuffer _activations = new();
    private readonly Dictionary<LinearWeight, CpuMatrix<T>> _matrices = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Tensor, NativeBuffer> _normWeights = new(ReferenceEqualityComparer.Instance);
    private readonly WidenWork<T, TElement> _widen = new();
    private readonly LinearWork<T, TElement> _linear = new();
    private readonly NormWork<T, TElement> _norm = new();
    private readonly AttentionWork<T, TElement> _attention = new();

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
    public Tensor Linear(Tensor x, LinearWeight weight) =>
        TakesMany(x) ? _torch.Linear(x, weight) : Multiply(x, weight, LinearFinish.Keep, weight.Weight.shape[0], Type);

    /// <inheritdoc/>
    public Tensor LinearAdd(Tensor x, LinearWeight weight, Tensor residual) =>
        TakesMany(x)
            ? _torch.LinearAdd(x, weight, residual)
            : Multiply(x, weight, LinearFinish.AddResidual, weight.Weight.shape[0], Type, residual);

    /// <inheritdoc/>
    public Tensor GatedLinear(Tensor x, LinearWeight gateUp, GateActivation activation)
    {
        return TakesMany(x)
            ? _torch.GatedLinear(x, gateUp, activation)
            : Multiply(
                x,
                gateUp,
                activation == GateActivation.Silu ? LinearFinish.GateSilu : LinearFinish.GateGelu,
                gateUp.Weight.shape[0] / 2,
                Type
            );
    }

    /// <inheritdoc/>
    public Tensor Logits(Tensor x, LinearWeight head) =>
        TakesMany(x) ? _torch.Logits(x, head) : Multiply(x, head, LinearFinish.KeepWide, head.Weight.shape[0], ScalarType.Float32);

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

    /// <summary>Whether so many rows go through the kernels.</summary>
    public bool Takes(int rowCount) => isDeterministic || rowCount <= MaxFastRows;

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
    /// A linear layer in memory. <paramref name="x"/>: <c>[R, in]</c>; the others as
    /// <see cref="LinearWork{T, TElement}.Run(ThreadTeam, CpuMatrix{T}, float*, int, LinearFinish, T*, void*)"/> takes them.
    /// </summary>
    public void Multiply(T* x, LinearWeight weight, int rows, LinearFinish finish, T* residual, void* result)
    {
        if (!_matrices.TryGetValue(weight, out var matrix))
        {
            matrix = new CpuMatrix<T>(weight.Weight, weight.Bias);
            _matrices.Add(weight, matrix);
        }

        _linear.Run(_team, matrix, Widen(x, rows, matrix), rows, finish, residual, result);
    }

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
        _activations.Dispose();
        foreach (var matrix in _matrices.Values)
        {
            matrix.Dispose();
        }

        foreach (var weight in _normWeights.Values)
        {
            weight.Dispose();
        }
    }

    private bool TakesMany(Tensor x) => !Takes((int)x.shape[0]);

    private Tensor Multiply(
        Tensor x,
        LinearWeight weight,
        LinearFinish finish,
        long resultWidth,
        ScalarType resultType,
        Tensor? residual = null
    )
    {
        using var input = new ContiguousTensor(x);
        using var added = residual is null ? default : new ContiguousTensor(residual);
        var result = empty([x.shape[0], resultWidth], resultType);
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

    /// <summary>Activations in fp32, with a readable row behind them. <c>[R + 1, width] f32</c></summary>
    private float* Widen(T* x, int rows, CpuMatrix<T> matrix)
    {
        _widen.Source = x;
        _widen.Target = _activations.Floats((long)(rows + 1) * matrix.Width);
        _widen.InputCount = matrix.InputCount;
        _widen.Width = matrix.Width;
        _team.Run(_widen, rows, WorkSize.IsWorthSharing((long)rows * matrix.Width));
        return _widen.Target;
    }
}
