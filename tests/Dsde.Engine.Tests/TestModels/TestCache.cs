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
        torch.ScalarType type = torch.ScalarType.Float32,
        KvLayout layout = KvLayout.Positions
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
        return new KvCache(config, slotCount, maxLength, type, [.. Enumerable.Repeat(torch.CPU, layers)], blockCount, layout);
    }

    /// <summary>A cache of one layer with room for all, in which every slot has all its blocks.</summary>
    public static KvCache CreateFull(
        int slotCount,
        int maxLength,
        int groups,
        int headDim,
        torch.ScalarType type,
        KvLayout layout = KvLayout.Positions
    )
    {
        var cache = Create(slotCount, maxLength, groups: groups, headDim: headDim, type: type, layout: layout);
        for (var slot = 0; slot < slotCount; slot++)
        {
            cache.Reserve(slot, 0, maxLength);
        }

        return cache;
    }

    /// <summary>What a full cache of kernels holds, as torch's operators read it.</summary>
    public static KvCache ByPosition(KvCache cache, int groups, int headDim)
    {
        using var scope = torch.NewDisposeScope();
        var copy = CreateFull(cache.SlotCount, cache.MaxLength, groups, headDim, cache.Keys(0).dtype);
        var positions = Enumerable
            .Range(0, cache.SlotCount)
            .SelectMany(slot => Enumerable.Range(0, cache.MaxLength).Select(at => (slot, at)));
        var places = torch.tensor(
            positions
                .SelectMany(position =>
                    Enumerable
                        .Range(0, groups)
                        .Select(group => cache.Table.PlaceOf(position.slot, position.at) + (group * BlockTable.BlockLength))
                )
                .ToArray()
        );
        Copy(cache.Keys(0), copy.Keys(0), areKeys: true);
        Copy(cache.Values(0), copy.Values(0), areKeys: false);
        return copy;

        void Copy(torch.Tensor from, torch.Tensor to, bool areKeys) =>
            to.index_copy_(0, places, KvLayout.Weights.ByPosition(from, areKeys).narrow(1, 0, headDim).index_select(0, places));
    }
}
