using Dsde.Engine.Kv;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Models.Weights;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators;

/// <summary>
/// The operators a decoder is made of, over packed rows. Results are new tensors in the caller's scope; arguments are left as they are, but
/// for the cache. Legend as in <see cref="PassRows"/>: R rows, H hidden, I intermediate, V vocabulary.
/// </summary>
internal interface IDecoderOps
{
    /// <summary>How they keep keys and values.</summary>
    KvLayout CacheLayout => KvLayout.Positions;

    /// <summary>
    /// Takes linear layers over in the form that <see cref="Linear"/> and the others read. What it is made of is not needed any more. In
    /// the caller's scope, as far as it is tensors.
    /// </summary>
    /// <param name="stored">The layers.</param>
    /// <param name="type">Type of weights and activations.</param>
    /// <param name="device">Where they are needed.</param>
    LinearWeight Load(StoredLinear stored, ScalarType type, Device device);

    /// <summary>Rows of an embedding. <paramref name="tokenIds"/>: <c>[R] i64</c>; result <c>[R, H]</c>.</summary>
    Tensor Embed(Tensor tokenIds, LinearWeight embedding);

    /// <summary>
    /// Root-mean-square normalisation of each row. <paramref name="x"/>: <c>[R, H]</c>, <paramref name="weight"/>: <c>[H]</c>.
    /// </summary>
    Tensor RmsNorm(Tensor x, Tensor weight, double eps);

    /// <summary>x·Wᵀ + b. <paramref name="x"/>: <c>[R, in]</c>; result <c>[R, out]</c>.</summary>
    Tensor Linear(Tensor x, LinearWeight weight);

    /// <summary>residual + x·Wᵀ + b. <paramref name="residual"/> and result: <c>[R, out]</c>.</summary>
    Tensor LinearAdd(Tensor x, LinearWeight weight, Tensor residual);

    /// <summary>
    /// activation(x·Gᵀ) ⊙ (x·Uᵀ), with G and U stacked in <paramref name="gateUp"/>: <c>[2·I, H]</c>; result <c>[R, I]</c>.
    /// </summary>
    Tensor GatedLinear(Tensor x, LinearWeight gateUp, GateActivation activation);

    /// <summary>
    /// Normalises (where the shape says so) and rotates queries and keys, writes keys and values into the cache, and attends: each row to
    /// the positions of its slot up to its own.
    /// </summary>
    /// <param name="qkv">Queries, keys and values side by side. <c>[R, (h + 2g)·d]</c></param>
    /// <param name="shape">How the layer attends.</param>
    /// <param name="rows">The pass.</param>
    /// <param name="keys">The layer's cache, in the layout of these operators. <c>[places, w]</c></param>
    /// <param name="values">The layer's cache; shape as <paramref name="keys"/>.</param>
    /// <returns><c>[R, h·d]</c></returns>
    Tensor Attend(Tensor qkv, AttentionShape shape, PassRows rows, Tensor keys, Tensor values);

    /// <summary>
    /// The output projection. <paramref name="x"/>: <c>[n, H]</c>, <paramref name="head"/>: <c>[V, H]</c>; result <c>[n, V] f32</c>.
    /// </summary>
    Tensor Logits(Tensor x, LinearWeight head);

    /// <summary>
    /// The same operators as whole passes of a model; null where there is nothing to gain. The operators must outlive it.
    /// </summary>
    /// <param name="config">Shape of the model.</param>
    /// <param name="weights">Its weights, all where these operators work.</param>
    /// <param name="attention">How each layer attends.</param>
    /// <param name="embeddingScale">What embeddings are multiplied by, rounded to the type of the weights; 1 for nothing.</param>
    IDecoderPass? CreatePass(ModelConfig config, DecoderWeights weights, IReadOnlyList<AttentionShape> attention, float embeddingScale);
}
