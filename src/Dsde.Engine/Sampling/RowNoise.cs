using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>
/// Coupled mode's noise of some rows. On a CPU it is made where a token is looked at that could win with it, which few can; on a GPU, whose
/// operations take whole rows, it is in memory.
/// </summary>
internal sealed class RowNoise
{
    private RowNoise(IReadOnlyList<NoiseKey?> keys, Tensor? values) => (Keys, Values) = (keys, values);

    /// <summary>A key for each row; null for one without noise.</summary>
    public IReadOnlyList<NoiseKey?> Keys { get; }

    /// <summary>The noise, 0 in rows without; null on a CPU. <c>[n, V] f32</c></summary>
    public Tensor? Values { get; }

    /// <summary>Noise by key, in the caller's scope; null if no row has one.</summary>
    /// <param name="keys">One for each row; null for none.</param>
    /// <param name="vocabularySize">Tokens in the vocabulary (V).</param>
    /// <param name="device">Where rows are.</param>
    public static RowNoise? Create(IReadOnlyList<NoiseKey?> keys, int vocabularySize, Device device) =>
        keys.All(key => key is null)
            ? null
            : new RowNoise(keys, device.type == DeviceType.CPU ? null : GumbelNoise.Compute(keys, vocabularySize, device));

    /// <summary>The noise of some rows, in that order.</summary>
    /// <param name="rows">Which.</param>
    /// <param name="pick">Takes them from <see cref="Values"/>, where there are any.</param>
    public RowNoise Select(IReadOnlyList<int> rows, Func<Tensor, Tensor> pick) =>
        new([.. rows.Select(row => Keys[row])], Values is null ? null : pick(Values));
}
