using System.Runtime.Intrinsics;
using Dsde.Engine.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Tests.Sampling;

/// <summary>All noise of some rows, as the kernels have it token by token.</summary>
internal static class TestNoise
{
    /// <summary>Noise in the caller's scope; 0 in rows without a key. <c>[n, V] f32</c></summary>
    public static Tensor Create(IReadOnlyList<NoiseKey?> keys, int vocabularySize)
    {
        var values = new float[keys.Count, vocabularySize];
        for (var row = 0; row < keys.Count; row++)
        {
            for (var id = 0; id < vocabularySize && keys[row] is not null; id++)
            {
                values[row, id] = NoiseKernel.FromHash(NoiseKernel.Hash(Vector512.Create((uint)id), keys[row]!.Value))[0];
            }
        }

        return tensor(values);
    }
}
