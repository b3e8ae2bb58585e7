namespace Dsde.Engine.Tests.TestModels;

/// <summary>
/// A small model of each family and of each way in which its checkpoints differ. Norms and biases are random, windows shorter than the
/// texts, heads wider or narrower than hidden over heads.
/// </summary>
internal static class FamilyShapes
{
    private static readonly TestModelShape Base = new()
    {
        Layers = 4,
        LayerScale = 0.3,
        NormSpread = 0.3,
        HeadDim = 12,
    };

    private static readonly Dictionary<string, TestModelShape> ByName = new()
    {
        ["llama 2"] = Base with { KvHeads = 4, HeadDim = 8 },
        ["llama 3 scaled"] = Base with { Tied = true, RopeScaling = new TestRopeScaling("llama3", 8, 1, 4, 64) },
        ["llama with linear scaling"] = Base with { RopeScaling = new TestRopeScaling("linear", 4) },
        ["llama with biases"] = Base with { HasBiases = true, KvHeads = 1 },
        ["mistral with a window"] = Base with { Family = TestFamily.Mistral, SlidingWindow = 7 },
        ["mistral without a window"] = Base with { Family = TestFamily.Mistral, Shards = 3 },
        ["qwen2"] = Base with { Family = TestFamily.Qwen2, Tied = true },
        ["qwen2 with a window"] = Base with { Family = TestFamily.Qwen2, SlidingWindow = 9 },
        ["qwen3"] = Base with { Family = TestFamily.Qwen3, HeadDim = 16 },
        ["gemma 2"] = Base with { Family = TestFamily.Gemma2, Tied = true, SlidingWindow = 6 },
        ["gemma 2 without soft-caps"] = Base with
        {
            Family = TestFamily.Gemma2,
            SlidingWindow = 6,
            AttentionSoftCap = null,
            LogitSoftCap = null,
        },
    };

    public static TheoryData<string> Names => [.. ByName.Keys];

    public static TestModelShape Find(string name) => ByName[name];
}
