using System.Runtime.Intrinsics;
using Dsde.Engine.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Tests.Sampling;

public class GumbelNoiseTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    [InlineData(1000)]
    public void Vector_Instructions_And_Device_Operations_Agree(int vocabularySize)
    {
        using var scope = NewDisposeScope();
        NoiseKey?[] keys = [NoiseKey.Of(1, 0), null, NoiseKey.Of(ulong.MaxValue, 131_000), new NoiseKey(uint.MaxValue, uint.MaxValue)];

        var filled = TestNoise.Create(keys, vocabularySize);
        var computed = GumbelNoise.Compute(keys, vocabularySize, CPU);

        filled.shape.ShouldBe([4, vocabularySize]);
        (filled - computed).abs().max().item<float>().ShouldBeLessThan(2e-5f);
        filled[1].abs().max().item<float>().ShouldBe(0f);
        computed[1].abs().max().item<float>().ShouldBe(0f);
    }

    [Fact]
    public void A_Row_Depends_On_Its_Key_Only_And_An_Element_On_Its_Index_Only()
    {
        using var scope = NewDisposeScope();
        var row = TestNoise.Create([NoiseKey.Of(5, 9)], 301);
        var among = TestNoise.Create([NoiseKey.Of(4, 9), NoiseKey.Of(5, 9), NoiseKey.Of(5, 10)], 128);

        among[1].equal(row[0].narrow(0, 0, 128)).all().item<bool>().ShouldBeTrue();
        among[0].equal(among[1]).all().item<bool>().ShouldBeFalse();
        among[2].equal(among[1]).all().item<bool>().ShouldBeFalse();
    }

    /// <summary>The uniforms behind the noise lie in (0, 1): neither end of the hash's range gives an infinity.</summary>
    [Fact]
    public void Noise_Is_Finite_At_Both_Ends_Of_The_Hashes()
    {
        foreach (
            var hash in (uint[])
                [0, 1, 2, 127, 128, uint.MaxValue / 2, uint.MaxValue - 300, uint.MaxValue - 128, uint.MaxValue - 1, uint.MaxValue]
        )
        {
            var exact = -Math.Log(-Math.Log(1 - Math.Min((hash + 0.5) / 4294967296.0, 1 - Math.Pow(2, -24))));

            // The largest noise is exact; the smallest, which never decides, has the steps of a float near 1.
            var noise = NoiseKernel.FromHash(Vector512.Create(hash))[0];
            noise.ShouldBe((float)exact, hash < uint.MaxValue / 2 ? 1e-4f : 0.05f);
            NoiseKernel.BoundOf(Vector512.Create(hash))[0].ShouldBeGreaterThanOrEqualTo(noise);
        }
    }

    [Fact]
    public void What_noise_can_be_at_most_is_never_less_than_it_and_hardly_more_where_that_decides()
    {
        var random = new Random(11);
        for (var i = 0; i < 1_000_000; i++)
        {
            var hash = Vector512.Create((uint)random.NextInt64(1L << (1 + (i % 32))));
            var (noise, bound) = (NoiseKernel.FromHash(hash)[0], NoiseKernel.BoundOf(hash)[0]);

            bound.ShouldBeGreaterThanOrEqualTo(noise);
            if (noise > 2)
            {
                bound.ShouldBeLessThan(noise + 0.15f);
            }
        }
    }

    /// <summary>
    /// Along the vocabulary, along the positions and along the seeds, singly and in neighbouring pairs. Each check fails by chance once in
    /// 10,000 keys.
    /// </summary>
    [Fact]
    public void Noise_Follows_The_Gumbel_Distribution_And_Neighbours_Are_Independent()
    {
        using var scope = NewDisposeScope();
        var alongTokens = Uniforms([NoiseKey.Of(3, 77)], 1 << 17);
        var alongPositions = Uniforms([.. Enumerable.Range(0, 1 << 14).Select(position => (NoiseKey?)NoiseKey.Of(3, position))], 8);
        var alongSeeds = Uniforms([.. Enumerable.Range(0, 1 << 14).Select(seed => (NoiseKey?)NoiseKey.Of((ulong)seed, 50))], 8);

        foreach (var uniforms in (double[][])[alongTokens, alongPositions, alongSeeds])
        {
            ShouldBeFlat(uniforms.Select(uniform => (int)(uniform * 64)), 64);
            foreach (var distance in (int[])[1, 8, 16])
            {
                // Every second pair, so that no number is used twice.
                var pairs = Enumerable
                    .Range(0, (uniforms.Length / (2 * distance)) - 1)
                    .Select(i => (uniforms[2 * distance * i], uniforms[(2 * distance * i) + distance]));
                ShouldBeFlat(pairs.Select(pair => ((int)(pair.Item1 * 8) * 8) + (int)(pair.Item2 * 8)), 64);
            }
        }
    }

    private static double[] Uniforms(NoiseKey?[] keys, int vocabularySize) =>
        TestNoise.Create(keys, vocabularySize).data<float>().ToArray().Select(noise => Math.Exp(-Math.Exp(-noise))).ToArray();

    private static void ShouldBeFlat(IEnumerable<int> cells, int cellCount)
    {
        var counts = cells.CountBy(cell => Math.Min(cell, cellCount - 1)).ToDictionary();
        ChiSquare.ShouldFollow(
            counts,
            Enumerable.Range(0, cellCount).ToDictionary(cell => cell, _ => 1.0 / cellCount),
            counts.Values.Sum()
        );
    }
}
