using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators.Cpu;

/// <summary>
/// The operators on a processor's vector units, made for few rows: weights stream through once, at the speed of memory, where torch's matrix products
/// reach half of it. A row's results are bitwise the same whatever rows are beside it. Owns its threads and scratch memory; the weights must outlive it.
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
    private readonly WidenWork<T, TElement> _widen = new();
    private readonly LinearWork<T, TElement> _linear = new();
    private readonly NormWork<T, TElement> _norm = new();
    private readonly AttentionWork<T, TElement> _attention = new();

    /// <inheritdoc/>
    public Tensor RmsNorm(Tensor x, Tensor weight, double eps)
    {
        if (weight.dtype != Type) // Gemma's are kept wider than its rows
        {
            return _torch.RmsNorm(x, weight, eps);
        }

        using var input = new ContiguousTensor(x);
        var (rows, width) = ((int)x.shape[0], (int)x.shape[1]);
        var result = empty([rows, width], Type);
        _norm.Run(_team, input.Address<T>(), (T*)NativeTensor.Address(weight), (T*)NativeTensor.Address(result), rows, width, eps);
        return result;
    }

    /// <inheritdoc/>
    public Tensor Linear(Tensor x, LinearWeight weight) =>
        TakesMany(x) ? _torch.Linear(x, weight) : Multiply(x, weight, LinearFinish.Keep, weight.Weight.shape[0], Type);

    /// <inheritdoc/>
    public Tensor LinearAdd(Tensor x, LinearWeight weight, Tensor residual) =>
        TakesMany(x) ? _torch.LinearAdd(x, weight, residual) : Multiply(x, weight, LinearFinish.AddResidual, weight.Weight.shape[0], Type, residual);

    /// <inheritdoc/>
    public Tensor GatedLinear(Tensor x, LinearWeight gateUp, GateActivation activation)
    {
        return TakesMany(x)
            ? _torch.GatedLinear(x, gateUp, activation)
            : Multiply(x, gateUp, activation == GateActivation.Silu ? LinearFinish.GateSilu : LinearFinish.GateGelu, gateUp.Weight.shape[0] / 2, Type);
    }

    /// <inheritdoc/>
    public Tensor Logits(Tensor x, LinearWeight head) =>
        TakesMany(x) ? _torch.Logits(x, head) : Multiply(x, head, LinearFinish.KeepWide, head.Weight.shape[0], ScalarType.Float32);

    /// <inheritdoc/>
    public Tensor Attend(Tensor qkv, AttentionShape shape, PassRows rows, Tensor keys, Tensor values)
    {
        using var input = new ContiguousTensor(qkv);
        var result = empty([qkv.shape[0], (long)shape.HeadCount * shape.HeadDim], Type);
        var arguments = new AttentionArguments<T>
        {
            Qkv = input.Address<T>(),
            Keys = (T*)NativeTensor.Address(keys),
            Values = (T*)NativeTensor.Address(values),
            MaxLength = (int)keys.shape[1],
            Cos = (T*)NativeTensor.Address(shape.Rotary.Cos),
            Sin = (T*)NativeTensor.Address(shape.Rotary.Sin),
            QueryNorm = shape.QueryNorm is { } queryNorm ? (T*)NativeTensor.Address(queryNorm) : null,
            KeyNorm = shape.KeyNorm is { } keyNorm ? (T*)NativeTensor.Address(keyNorm) : null,
            Result = (T*)NativeTensor.Address(result),
        };
        _attention.Run(_team, arguments, shape, rows.Spans);
        return result;
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
    }

    private bool TakesMany(Tensor x) => !isDeterministic && x.shape[0] > MaxFastRows;

    private Tensor Multiply(Tensor x, LinearWeight weight, LinearFinish finish, long resultWidth, ScalarType resultType, Tensor? residual = null)
    {
        if (!_matrices.TryGetValue(weight, out var matrix))
        {
            matrix = new CpuMatrix<T>(weight);
            _matrices.Add(weight, matrix);
        }

        using var input = new ContiguousTensor(x);
        using var added = residual is null ? default : new ContiguousTensor(residual);
        var rows = (int)x.shape[0];
        var wide = Widen(input.Address<T>(), rows, matrix);
        var result = empty([rows, resultWidth], resultType);
        _linear.Run(_team, matrix, wide, rows, finish, residual is null ? null : added.Address<T>(), NativeTensor.Address(result));
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
