using Dsde.Engine.Loading;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Weights;
using Dsde.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Tests.Models.Weights;

/// <summary>Weights are looked over once, when they are read: what is no number names its tensor.</summary>
public sealed class WeightCheckTests : IDisposable
{
    private readonly ScratchFolder _folder = new("weights");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("F32", "model.norm.weight", float.NaN)]
    [InlineData("F32", "model.layers.1.mlp.down_proj.weight", float.PositiveInfinity)]
    [InlineData("BF16", "model.embed_tokens.weight", float.NegativeInfinity)]
    [InlineData("F16", "lm_head.weight", float.NaN)]
    public void A_weight_with_something_else_than_numbers_is_named(string storedAs, string name, float value)
    {
        Write(new TestModelShape { StoredAs = storedAs, Poison = (name, value) });

        Should
            .Throw<ModelLoadException>(() => DecoderUnderTest.LoadWritten(_folder.Path))
            .Message.ShouldContain($"model.safetensors: {name} holds values that are no numbers");
    }

    [Theory]
    [InlineData("F32", 3.4e38f, ScalarType.BFloat16, "fp32")]
    [InlineData("F32", 65_520f, ScalarType.Float16, "bf16 or fp32")]
    [InlineData("BF16", 65_536f, ScalarType.Float16, "bf16 or fp32")]
    public void A_weight_that_becomes_infinite_in_the_type_computed_in_is_named(
        string storedAs,
        float value,
        ScalarType type,
        string instead
    )
    {
        Write(new TestModelShape { StoredAs = storedAs, Poison = ("model.norm.weight", value) });

        Should
            .Throw<ModelLoadException>(() => DecoderUnderTest.LoadWritten(_folder.Path, type))
            .Message.ShouldContain($"model.norm.weight holds numbers that are infinite in {type}. Use DataType {instead}");
    }

    /// <summary>The largest numbers that are still numbers; converted by torch itself as a witness.</summary>
    [Theory]
    [InlineData(ScalarType.Float32, ScalarType.BFloat16)]
    [InlineData(ScalarType.Float32, ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16, ScalarType.Float16)]
    [InlineData(ScalarType.Float16, ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16, ScalarType.BFloat16)]
    public void What_is_refused_is_what_becomes_infinite(ScalarType stored, ScalarType type)
    {
        float[] candidates = [65_504f, 65_519f, 65_520f, 65_536f, 3.3895e38f, 3.3961e38f, 3.4e38f, float.MaxValue, 1e-45f];
        foreach (var candidate in candidates.SelectMany(value => (float[])[value, -value]))
        {
            using var scope = NewDisposeScope(); // keeps what has no name until torch is done with it
            var weight = tensor(Enumerable.Repeat(0.5f, 2_500_000).Append(candidate).ToArray()).to(stored);
            var isNumber = weight.to(type).isfinite().all().item<bool>();

            var check = () => WeightCheck.RequireNumbers("file", "weight", weight, type);

            if (isNumber)
            {
                check.ShouldNotThrow();
            }
            else
            {
                Should.Throw<ModelLoadException>(check);
            }
        }
    }

    /// <summary>Every place counts: vector lanes, the rest behind them, and the pieces that threads take.</summary>
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void A_single_value_is_found_wherever_it_stands(ScalarType type)
    {
        foreach (var length in (int[])[1, 7, 63, 64, 131, (2 << 20) + 5])
        {
            using var weight = ones(length, dtype: type);
            foreach (var place in (int[])[0, length / 3, length / 2, length - 1])
            {
                using var scope = NewDisposeScope(); // as above, for the numbers that become tensors
                weight[place] = float.NaN;
                Should.Throw<ModelLoadException>(() => WeightCheck.RequireNumbers("file", "weight", weight, type));
                weight[place] = 1f;
                Should.NotThrow(() => WeightCheck.RequireNumbers("file", "weight", weight, type));
            }
        }
    }

    private void Write(TestModelShape shape) => TestModelFolder.Write(_folder.Path, shape);
}
