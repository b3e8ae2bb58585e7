using Dsde.Engine.Models;
using Dsde.Engine.Models.Weights;
using Dsde.Engine.Tests.Generation;
using Dsde.Testing;
using TorchSharp;

namespace Dsde.Engine.Tests.Models.Weights;

/// <summary>A model whose layers are spread over several devices computes what it computes on one.</summary>
public sealed class LayerPlacementTests : IDisposable
{
    private readonly ScratchFolder _folder = new("split");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("gemma 2", 2)]
    [InlineData("mistral with a window", 3)]
    [InlineData("llama 3 scaled", 4)]
    public void Logits_are_bit_for_bit_those_of_one_device(string family, int count)
    {
        int[] text = [.. Enumerable.Range(3, 30)];
        using var mode = torch.inference_mode();
        using var one = DecoderUnderTest.Load(_folder.Path, FamilyShapes.Find(family));
        using var several = DecoderUnderTest.Load(
            _folder.Path,
            FamilyShapes.Find(family),
            devices: [.. Enumerable.Range(0, count).Select(_ => new torch.Device(DeviceType.CPU))]
        );

        foreach (var spans in new (int, int, int[])[][] { [(1, 0, text)], [(1, 30, text[..2]), (3, 0, text[..7])] })
        {
            several.Run(spans).ShouldBe(one.Run(spans));
        }
    }

    [Fact]
    public async Task An_engine_on_two_devices_writes_what_one_on_one_writes()
    {
        TestModelFolder.Write(_folder.Path, FamilyShapes.Find("qwen3"));
        var requests = EngineUnderTest.Prompts(5).Select(prompt => EngineUnderTest.Greedy(prompt, 20)).ToList();
        await using var one = EngineUnderTest.Load(_folder.Path, _folder.Path, "static:3");
        await using var two = EngineUnderTest.Load(_folder.Path, _folder.Path, "static:3", change: options => options.Device = "cpu,cpu");

        var expected = await one.GenerateAllAsync(requests);
        var actual = await two.GenerateAllAsync(requests);

        two.Description.Device.ShouldBe("cpu,cpu");
        actual.Select(result => result.TokenIds).ShouldBe(expected.Select(result => result.TokenIds));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Every_device_gets_layers_in_order_and_nearly_equal_shares(int count)
    {
        TestModelFolder.Write(
            _folder.Path,
            new TestModelShape
            {
                Layers = 24,
                Vocabulary = 2000,
                Shards = 1,
            }
        );
        var devices = Enumerable.Range(0, count).Select(_ => new torch.Device(DeviceType.CPU)).ToArray();

        var layers = LayerPlacement.Spread(ModelFolder.Open(_folder.Path).Config, devices).Layers;

        var owners = layers.Select(device => Array.FindIndex(devices, known => ReferenceEquals(known, device))).ToArray();
        owners.ShouldBe(owners.Order());
        owners.Distinct().Count().ShouldBe(count);
        owners[0].ShouldBe(0);
        owners[^1].ShouldBe(count - 1);
    }

    [Fact]
    public void A_vocabulary_that_outweighs_the_layers_leaves_no_device_empty()
    {
        TestModelFolder.Write(_folder.Path, new TestModelShape { Layers = 3, Vocabulary = 5000 });
        var devices = Enumerable.Range(0, 3).Select(_ => new torch.Device(DeviceType.CPU)).ToArray();

        LayerPlacement.Spread(ModelFolder.Open(_folder.Path).Config, devices).Layers.ShouldBe(devices);
    }

    [Fact]
    public void More_devices_than_layers_are_refused()
    {
        TestModelFolder.Write(_folder.Path, new TestModelShape { Layers = 2 });
        var load = () =>
            EngineUnderTest.Load(_folder.Path, draft: null, "autoregressive", change: options => options.Device = "cpu,cpu,cpu");

        Should.Throw<ModelLoadException>(load).Message.ShouldContain("2 layers, too few for 3 devices");
    }
}
