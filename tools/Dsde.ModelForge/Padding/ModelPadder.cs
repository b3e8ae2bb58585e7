using System.Text.Json.Nodes;
using Dsde.ModelForge.Folders;

namespace Dsde.ModelForge.Padding;

/// <summary>Writes costlier models with the same outputs, and useless ones of the same shape.</summary>
internal static class ModelPadder
{
    private const double DefaultEps = 1e-6; // as the engine reads a configuration without one
    private const double RandomSpread = 0.02;

    /// <summary>
    /// Writes a padded copy of a model; its shape is chosen from the source's. Returns the shape and the number of parameters.
    /// </summary>
    /// <exception cref="PaddingException">The source can't be padded so.</exception>
    public static (DecoderShape Shape, long Parameters) Pad(
        string source,
        string destination,
        Func<SourceModel, DecoderShape> choose,
        StoredType type,
        CancellationToken cancellationToken
    )
    {
        using var weights = new SourceWeights(source);
        var model = SourceModel.Read(source);
        var shape = choose(model);
        var padded = new PaddedModel(model.Shape, shape);
        shape.WriteTo(model.Config);
        model.Config["rms_norm_eps"] = padded.ToEps(model.Config["rms_norm_eps"]?.GetValue<double>() ?? DefaultEps);
        Write(
            source,
            destination,
            model,
            type,
            padded.Weights(model.VocabularySize, model.IsTied).Select(weight => weight.ToStoredWeight(weights, type)),
            cancellationToken
        );
        return (shape, shape.ParameterCount(model.VocabularySize, model.EmbeddingCount));
    }

    /// <summary>
    /// Writes a model of the source's shape and tokenizer whose weights are random: a draft whose proposals are hardly ever accepted.
    /// </summary>
    public static void Randomize(string source, string destination, int seed, StoredType type, CancellationToken cancellationToken)
    {
        using var weights = new SourceWeights(source);
        var model = SourceModel.Read(source);
        var random = new Random(seed);
        var named = new PaddedModel(model.Shape, model.Shape)
            .Weights(model.VocabularySize, model.IsTied)
            .Select(weight => new StoredWeight(
                weight.Name,
                type,
                weights.ShapeOf(weight.Name),
                RandomRows(weights.ShapeOf(weight.Name), random)
            ));
        Write(source, destination, model, type, named, cancellationToken);
    }

    private static void Write(
        string source,
        string destination,
        SourceModel model,
        StoredType type,
        IEnumerable<StoredWeight> weights,
        CancellationToken cancellationToken
    )
    {
        if (Path.GetFullPath(source) == Path.GetFullPath(destination))
        {
            throw new PaddingException($"{destination} is the source itself; give another folder.");
        }

        model.Config["torch_dtype"] = type == StoredType.BF16 ? "bfloat16" : "float32";
        HuggingFaceFolder.Write(
            destination,
            partial =>
            {
                JsonFiles.Write(Path.Combine(partial, HuggingFaceFolder.ConfigName), model.Config);
                HuggingFaceFolder.CopyOthers(source, partial);
                SafetensorsWriter.Write(Path.Combine(partial, HuggingFaceFolder.WeightsName), weights, cancellationToken);
            }
        );
    }

    /// <summary>Normal numbers for matrices, ones for norms.</summary>
    private static IEnumerable<float[]> RandomRows(IReadOnlyList<long> shape, Random random)
    {
        var row = new float[shape[^1]];
        Array.Fill(row, 1f);
        for (var i = 0; i < (shape.Count == 1 ? 1 : shape[0]); i++)
        {
            for (var column = 0; shape.Count > 1 && column < row.Length; column++)
            {
                row[column] = (float)(
                    RandomSpread * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())
                );
            }

            yield return row;
        }
    }
}
