namespace Dsde.Engine.Models.Weights;

/// <summary>What a folder must store, and nothing besides: names and shapes of all weights of a decoder, from its configuration.</summary>
internal static class DecoderShapes
{
    /// <summary>The embedding. <c>[V, H]</c></summary>
    public static WeightShape Embedding(ModelConfig config) => new("model.embed_tokens.weight", config.VocabularySize, config.HiddenSize);

    /// <summary>Behind the last layer. <c>[H]</c></summary>
    public static WeightShape FinalNorm(ModelConfig config) => new("model.norm.weight", config.HiddenSize);

    /// <summary>The output projection, where it is not the embedding. <c>[V, H]</c></summary>
    public static WeightShape Head(ModelConfig config) => new(ModelFolder.HeadName, config.VocabularySize, config.HiddenSize);

    /// <summary>
    /// Compares what the headers of a folder's files say with its configuration, before any weight is read: of a large model that takes
    /// minutes.
    /// </summary>
    /// <exception cref="ModelLoadException">
    /// A weight is missing, has another shape than the configuration says, is of a type that is not read, or is there although the
    /// configuration knows no such weight.
    /// </exception>
    public static void RequireIn(ModelFolder folder)
    {
        var expected = All(folder).ToList();
        foreach (var weight in expected)
        {
            Require(folder, weight);
        }

        RefuseOthers(folder, expected.Select(weight => weight.Name).ToHashSet(StringComparer.Ordinal));
    }

    /// <summary>Tables of frequencies, angles, sines that old checkpoints keep: nothing learnt is in a rotary embedding.</summary>
    public static bool IsRotaryTable(string name) => name.Split('.') is [.., "rotary_emb", _];

    private static IEnumerable<WeightShape> All(ModelFolder folder)
    {
        var config = folder.Config;
        return
        [
            Embedding(config),
            .. Enumerable.Range(0, config.LayerCount).SelectMany(layer => new LayerShapes(config, layer).All),
            FinalNorm(config),
            .. config.TieWordEmbeddings && !folder.StoresHead ? (WeightShape[])[] : [Head(config)],
        ];
    }

    private static void Require(ModelFolder folder, WeightShape weight)
    {
        var (path, entry) = folder.Find(weight.Name);
        if (!entry.Shape.SequenceEqual(weight.Shape))
        {
            throw new ModelLoadException(
                $"{path}: {weight.Name} has shape [{string.Join(", ", entry.Shape)}], but config.json makes it "
                    + $"[{string.Join(", ", weight.Shape)}]. Weights and configuration belong to different models."
            );
        }

        _ = StoredType.Of(path, weight.Name, entry);
    }

    private static void RefuseOthers(ModelFolder folder, HashSet<string> expected)
    {
        var others = folder
            .WeightNames.Where(name => !expected.Contains(name) && !IsRotaryTable(name))
            .Order(StringComparer.Ordinal)
            .ToList();
        if (others.Count > 0)
        {
            throw new ModelLoadException(
                $"{folder.Path} has {others.Count} weights that a {folder.Config.Family} model of this configuration does not use, "
                    + $"among them {others[0]}. "
                    + "The output would not be the model's: weights and config.json belong to different models, or the model has "
                    + "parts that are not supported."
            );
        }
    }
}
