using Dsde.Engine.Kv;
using Dsde.Engine.Models;
using TorchSharp;

namespace Dsde.Engine.Tests.TestModels;

/// <summary>Caches without a model around them.</summary>
internal static class TestCache
{
    /// <summary>A cache on the processor.</summary>
    public static KvCache Create(
        int slotCount,
        int maxLength,
        int? blockCount = null,
        int layers = 1,
        int groups = 1,
        int headDim = 2,
        int? window = null,
        torch.ScalarType type = torch.ScalarType.Float32
    )
    {
        var config = new ModelConfig
        {
            Family = "test",
            HiddenSize = groups * headDim,
            LayerCount = layers,
            HeadCount = groups,
            KvHeadCount = groups,
            HeadDim = headDim,
            IntermediateSize = 1,
            VocabularySize = 1,
            RmsNormEps = 1e-6,
            RopeTheta = 10000,
            RopeScaling = null,
            ContextLength = maxLength,
            TieWordEmbeddings = true,
            AttentionScale = 1,
            SlidingWindows = [.. Enumerable.Repeat(window, layers)],
            EosTokenIds = [],
        };
        return new KvCache(config, slotCount, maxLength, type, [.. Enumerable.Repeat(torch.CPU, layers)], blockCount);
    }
}
