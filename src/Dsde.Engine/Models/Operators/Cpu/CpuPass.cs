using System.Runtime.CompilerServices;
using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Kv;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators.Cpu;

/// <summary>
/// A forward pass from token ids to logits in the same scratch memory every time: a small draft spends more on the tensors between its
/// operators than in them. Computes exactly what the operators do one by one. Legend as in <see cref="PassRows"/> and
/// <see cref="LayerWeights"/>.
/// </summary>
/// <param name="ops">The operators; they and the weights must outlive this.</param>
/// <param name="config">Shape of the model.</param>
/// <param name="weights">All on the CPU.</param>
/// <param name="attention">How each layer attends.</param>
/// <param name="embeddingScale">What embeddings are multiplied by, rounded to the type of the weights; 1 for nothing.</param>
internal sealed unsafe class CpuPass<T, TElement>(
    CpuOps<T, TElement> ops,
    ModelConfig config,
    DecoderWeights weights,
    IReadOnlyList<AttentionShape> attention,
    float embeddingScale
) : IDecoderPass
    where T : unmanaged
    where TElement : IElement<T>
{
    private const int VectorWidth = PartialRow.VectorWidth;

    private readonly NativeBuffer _hidden = new(),
        _normed = new(),
        _wide = new(),
        _narrow = new();

    /// <inheritdoc/>
    public bool CanRun(int rowCount) => ops.Takes(rowCount);

    /// <inheritdoc/>
    public Tensor Run(PassRows rows, KvCache cache)
    {
        var (count, width) = (rows.RowCount, config.HiddenSize);
        var hidden = _hidden.Items<T>((long)count * width); // [R, H]
        var normed = _normed.Items<T>((long)count * width); // [R, H]
        Embed((long*)NativeTensor.Address(rows.TokenIds), hidden, count);
        for (var layer = 0; layer < weights.Layers.Count; layer++)
        {
            RunLayer(layer, hidden, normed, rows, cache);
        }

        if (rows.LogitRows is { } wanted)
        {
            count = (int)wanted.shape[0];
            Select((long*)NativeTensor.Address(wanted), hidden, normed, count);
            hidden = normed;
        }

        ops.Norm(hidden, weights.FinalNorm, normed, count, width, config.RmsNormEps);
        var logits = empty([count, weights.LanguageHead.Weight.shape[0]], ScalarType.Float32);
        ops.Multiply(normed, weights.LanguageHead, count, LinearFinish.KeepWide, null, NativeTensor.Address(logits));
        return logits;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _hidden.Dispose();
        _normed.Dispose();
        _wide.Dispose();
        _narrow.Dispose();
    }

    private void RunLayer(int layer, T* hidden, T* normed, PassRows rows, KvCache cache)
    {
        var layerWeights = weights.Layers[layer];
        var shape = attention[layer];
        var count = rows.RowCount;
        var queryWidth = shape.HeadCount * shape.HeadDim;
        var qkv = _wide.Items<T>((long)count * (queryWidth + (2 * shape.KvHeadCount * shape.HeadDim))); // [R, (h + 2g)·d]
        var attended = _narrow.Items<T>((long)count * queryWidth); // [R, h·d]
        ops.Norm(hidden, layerWeights.InputNorm, normed, count, config.HiddenSize, config.RmsNormEps);
        ops.Multiply(normed, layerWeights.Qkv, count, LinearFinish.Keep, null, qkv);
        ops.Attend(qkv, shape, rows, cache.Keys(layer), cache.Values(layer), attended);
        Project(attended, layerWeights.Output, layerWeights.AttentionOutputNorm, hidden, normed, count);

        var gated = _wide.Items<T>((long)count * config.IntermediateSize); // [R, I]
        ops.Norm(hidden, layerWeights.MlpNorm, normed, count, config.HiddenSize, config.RmsNormEps);
        ops.Multiply(
            normed,
            layerWeights.GateUp,
            count,
            config.Activation == GateActivation.Silu ? LinearFinish.GateSilu : LinearFinish.GateGelu,
            null,
            gated
        );
        Project(gated, layerWeights.Down, layerWeights.MlpOutputNorm, hidden, normed, count);
    }

    /// <summary>
    /// Back to the residual stream, in place, through the block's output norm if it has one. <paramref name="scratch"/>: <c>[R, H]</c>.
    /// </summary>
    private void Project(T* x, LinearWeight weight, Tensor? norm, T* hidden, T* scratch, int count)
    {
        if (norm is null)
        {
            ops.Multiply(x, weight, count, LinearFinish.AddResidual, hidden, hidden);
            return;
        }

        ops.Multiply(x, weight, count, LinearFinish.Keep, null, scratch);
        ops.Norm(scratch, norm, scratch, count, config.HiddenSize, config.RmsNormEps);
        Add(hidden, scratch, (long)count * config.HiddenSize);
    }

    private void Embed(long* tokenIds, T* hidden, int count)
    {
        var embedding = (T*)NativeTensor.Address(weights.Embedding);
        Select(tokenIds, embedding, hidden, count);
        var length = (long)count * config.HiddenSize;
        for (long i = 0; i < length && embeddingScale != 1; i++)
        {
            TElement.StoreOne(hidden + i, TElement.LoadOne(hidden + i) * embeddingScale);
        }
    }

    /// <summary>Copies of some rows, in that order. <paramref name="indices"/>: <c>[n] i64</c>.</summary>
    private void Select(long* indices, T* source, T* target, int count)
    {
        var width = config.HiddenSize;
        for (var i = 0; i < count; i++)
        {
            new ReadOnlySpan<T>(source + (indices[i] * width), width).CopyTo(new Span<T>(target + ((long)i * width), width));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(T* sum, T* values, long length)
    {
        for (long i = 0; i < length; i += VectorWidth)
        {
            var left = (int)Math.Min(VectorWidth, length - i);
            PartialRow.Store<T, TElement>(
                sum + i,
                PartialRow.Load<T, TElement>(sum + i, left) + PartialRow.Load<T, TElement>(values + i, left),
                left
            );
        }
    }
}
