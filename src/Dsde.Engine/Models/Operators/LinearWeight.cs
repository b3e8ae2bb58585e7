using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators;

/// <summary>
/// A linear layer's weight, with its bias if it has one, in the form that the operators which made it read. No other copy of it is kept.
/// </summary>
internal abstract class LinearWeight : IDisposable
{
    /// <summary>Numbers that a row of results has, before any gate.</summary>
    public abstract int OutputCount { get; }

    /// <summary>Numbers that a row of inputs has.</summary>
    public abstract int InputCount { get; }

    /// <summary>Bytes of its numbers, without what fills up or belongs to the bias.</summary>
    public abstract long ByteCount { get; }

    /// <summary>The tensors it is made of, if it is.</summary>
    public virtual IEnumerable<Tensor> Tensors => [];

    /// <summary>The first outputs of this, on the same memory.</summary>
    public abstract LinearWeight First(int outputCount);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors)
        {
            tensor.Dispose();
        }
    }
}
