using Dsde.Engine.Models.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models;

/// <summary>All weights of a Llama-shaped model on one device, in one type. Legend as in <see cref="LayerWeights"/>; V vocabulary.</summary>
internal sealed class DecoderWeights : IDisposable
{
    private DecoderWeights(Tensor embedding, IReadOnlyList<LayerWeights> layers, Tensor finalNorm, LinearWeight languageHead)
    {
        Embedding = embedding;
        Layers = layers;
        FinalNorm = finalNorm;
        LanguageHead = languageHead;
    }

    /// <summary><c>[V, H]</c></summary>
    public Tensor Embedding { get; }

    /// <summary>The layers, from the embedding up.</summary>
    public IReadOnlyList<LayerWeights> Layers { get; }

    /// <summary><c>[H]</c></summary>
    public Tensor FinalNorm { get; }

    /// <summary><c>[V, H]</c>; the embedding itself where the two are tied.</summary>
    public LinearWeight LanguageHead { get; }

    /// <summary>Type of weights and activations.</summary>
    public ScalarType Type => Embedding.dtype;

    /// <summary>Where they are.</summary>
    public Device Device => Embedding.device;

    /// <summary>Reads the weights of a folder.</summary>
    /// <exception cref="ModelLoadException">A weight is missing, or has another shape than the configuration says.</exception>
    public static DecoderWeights Load(ModelFolder folder, ScalarType type, Device device)
    {
        using var scope = NewDisposeScope();
        using var files = new MappedWeights(folder, type, device);
        var config = folder.Config;
        long hidden = config.HiddenSize, vocabulary = config.VocabularySize;
        var embedding = files.Read("model.embed_tokens.weight", vocabulary, hidden);
        var layers = Enumerable.Range(0, config.LayerCount).Select(layer => LoadLayer(files, config, $"model.layers.{layer}.")).ToList();
        var finalNorm = files.Read("model.norm.weight", hidden);
        var head = config.TieWordEmbeddings ? embedding : files.Read("lm_head.weight", vocabulary, hidden);
        foreach (var tensor in layers.SelectMany(layer => (Tensor[])[layer.InputNorm, layer.Qkv.Weight, layer.Output.Weight, layer.PostNorm, layer.GateUp.Weight, layer.Down.Weight])
                     .Concat([embedding, finalNorm, head]))
        {
            tensor.DetachFromDisposeScope();
        }

        return new DecoderWeights(embedding, layers, finalNorm, new LinearWeight(head));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in Layers)
        {
            layer.Dispose();
        }

        Embedding.Dispose();
        FinalNorm.Dispose();
        LanguageHead.Dispose();
    }

    private static LayerWeights LoadLayer(MappedWeights files, ModelConfig config, string prefix)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize;
        long queryWidth = (long)config.HeadCount * config.HeadDim, kvWidth = (long)config.KvHeadCount * config.HeadDim;
        return new LayerWeights(
            files.Read(prefix + "input_layernorm.weight", hidden),
            new LinearWeight(cat(
            [
                files.Read(prefix + "self_attn.q_proj.weight", queryWidth, hidden),
                files.Read(prefix + "self_attn.k_proj.weight", kvWidth, hidden),
                files.Read(prefix + "self_attn.v_proj.weight", kvWidth, hidden),
            ])),
            new LinearWeight(files.Read(prefix + "self_attn.o_proj.weight", hidden, queryWidth)),
            files.Read(prefix + "post_attention_layernorm.weight", hidden),
            new LinearWeight(cat([files.Read(prefix + "mlp.gate_proj.weight", intermediate, hidden), files.Read(prefix + "mlp.up_proj.weight", intermediate, hidden)])),
            new LinearWeight(files.Read(prefix + "mlp.down_proj.weight", hidden, intermediate)));
    }
}
