using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Torch;

/// <summary>
/// Numbers as torch takes them, each kept for ever. TorchSharp makes a <see cref="Scalar"/> of every number that an operation is given,
/// which nothing holds: the collector may free it while torch still reads it. So no number goes to torch but through here; the few that
/// there are (constants, sizes, lengths up to a context's) stay.
/// </summary>
internal static class Scalars
{
    private static readonly ConcurrentDictionary<long, Scalar> Integers = new();
    private static readonly ConcurrentDictionary<double, Scalar> Floats = new();

    /// <summary>An integer.</summary>
    public static Scalar Of(long value) => Integers.GetOrAdd(value, number => number.ToScalar());

    /// <summary>A floating-point number; torch rounds it to the tensor's type.</summary>
    public static Scalar Of(double value) => Floats.GetOrAdd(value, number => number.ToScalar());

    /// <summary>0, 1, … <paramref name="count"/> − 1. <c>[count] i64</c></summary>
    public static Tensor Range(long count, Device device) => Range(0, count, device);

    /// <summary><paramref name="start"/>, … <paramref name="end"/> − 1. <c>[end − start] i64</c></summary>
    public static Tensor Range(long start, long end, Device device) => arange(Of(start), Of(end), Of(1), ScalarType.Int64, device);

    /// <summary>The sum, in a new tensor: what <c>+</c> does, with a kept factor of 1.</summary>
    public static Tensor Plus(this Tensor left, Tensor right) => left.add(right, Of(1));

    /// <summary>Adds in place: what <c>add_</c> does, with a kept factor of 1.</summary>
    public static Tensor PlusInPlace(this Tensor left, Tensor right) => left.add_(right, Of(1));
}
