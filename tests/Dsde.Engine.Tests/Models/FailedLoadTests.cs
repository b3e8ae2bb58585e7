using Dsde.Engine.Kv;
using Dsde.Engine.Loading;
using Dsde.Engine.Models;
using Dsde.Testing;
using TorchSharp;

namespace Dsde.Engine.Tests.Models;

/// <summary>A load that fails on its way gives back what it had taken by then.</summary>
public sealed class FailedLoadTests : IDisposable
{
    private readonly ScratchFolder _folder = new("failed");
    private readonly ModelFolder _model;

    public FailedLoadTests()
    {
        TestModelFolder.Write(_folder.Path, new TestModelShape { HeadDim = 128 });
        _model = ModelFolder.Open(_folder.Path);
    }

    private static long LiveTensors => DisposeScopeManager.Statistics.ThreadTotalLiveCount;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Caches_of_lower_layers_are_freed_when_an_upper_one_finds_no_place()
    {
        var before = LiveTensors;
        torch.Device[] devices = [torch.CPU, torch.CPU, new(DeviceType.CUDA, 99)]; // on no machine

        Should.Throw<Exception>(() => new KvCache(_model.Config, 2, 16, torch.ScalarType.Float32, devices));

        LiveTensors.ShouldBe(before);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Weights_are_freed_when_the_cache_finds_no_place(bool isDeterministic)
    {
        var before = LiveTensors;

        // 2³¹ blocks of 384 KiB are more than processors can address.
        var failure = Should.Throw<Exception>(() =>
            new CachedDecoder(_model, 2, 1 << 12, torch.ScalarType.Float32, torch.CPU, isDeterministic, blockCount: int.MaxValue)
        );

        AllocationFailure.Is(failure).ShouldBeTrue(failure.Message);
        LiveTensors.ShouldBe(before);
    }

    [Fact]
    public void A_decoder_that_is_disposed_leaves_nothing()
    {
        var before = LiveTensors;

        new CachedDecoder(_model, 2, 16, torch.ScalarType.Float32, torch.CPU).Dispose();

        LiveTensors.ShouldBe(before);
    }
}
