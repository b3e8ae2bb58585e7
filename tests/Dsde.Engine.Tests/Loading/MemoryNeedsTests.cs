using System.Runtime.InteropServices;
using Dsde.Engine.Loading;
using Dsde.Engine.Models;
using Dsde.Engine.Tests.Generation;
using Dsde.Testing;
using TorchSharp;

namespace Dsde.Engine.Tests.Loading;

/// <summary>Too little memory is told in numbers, with what to lower.</summary>
public sealed class MemoryNeedsTests : IDisposable
{
    private readonly ScratchFolder _folder = new("memory");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Needs_are_the_weights_of_all_models_in_the_type_computed_in()
    {
        TestModelFolder.Write(_folder.Path, new TestModelShape { Tied = true });
        var folder = ModelFolder.Open(_folder.Path);

        var needs = MemoryNeeds.OfWeights([folder, folder], torch.ScalarType.BFloat16);

        // 300·32 embedding, 32 norm, and per layer 2·32 norms, (4 + 2·2 + 4)·8·32 attention, 3·32·64 MLP.
        needs.Weights.ShouldBe(2 * 2 * ((300 * 32) + 32 + (3 * (64 + (12 * 8 * 32) + (3 * 32 * 64)))));
    }

    [Fact]
    public void A_cache_larger_than_the_machine_is_refused_before_anything_is_allocated()
    {
        TestModelFolder.Write(_folder.Path, new TestModelShape { Context = 1 << 24 });
        var load = () =>
            EngineUnderTest.Load(
                _folder.Path,
                draft: null,
                "autoregressive",
                batchSize: 1000,
                options => (options.MaxLength, options.RetainedSlots, options.KvCacheMegabytes) = (1 << 20, 24, 1 << 23)
            );

        var message = Should.Throw<ModelLoadException>(load).Message;

        message.ShouldContain("768.00 GiB for keys and values, but there are");
        message.ShouldContain("Lower Dsde:Engine:KvCacheMegabytes or MaxLength");
    }

    [Theory]
    [InlineData("CUDA out of memory. Tried to allocate 2.00 GiB.")]
    [InlineData(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 274877906944 "
            + "bytes."
    )]
    public void A_failed_allocation_says_what_was_needed(string message)
    {
        var needs = new MemoryNeeds(3L << 30, 5L << 30);

        var failure = Should.Throw<ModelLoadException>(() => needs.Load<int>(() => throw new NativeFailure(message)));

        failure.Message.ShouldContain("3.00 GiB for weights and 5.00 GiB for keys and values, but the device ran out of memory");
        failure.InnerException!.Message.ShouldBe(message);
    }

    [Theory]
    [InlineData(10L << 30, false, 4L << 30)]
    [InlineData(12L << 30, true, 8L << 30)]
    [InlineData(1L << 30, false, 0)]
    public void Half_of_what_is_left_beside_the_weights_is_for_keys_and_values_and_of_a_gpu_most(
        long available,
        bool isGpu,
        long expected
    ) => new MemoryNeeds(2L << 30, 0).DefaultCache(available, isGpu).ShouldBe(expected);

    [Fact]
    public void What_can_be_had_is_read_from_the_systems_own_line()
    {
        string[] lines = ["MemTotal:       24684888 kB", "MemFree:  1 kB", "MemAvailable:   24221488 kB", "Buffers: 2 kB"];

        DeviceMemory.ParseAvailable(lines).ShouldBe(24221488L << 10);
        DeviceMemory.ParseAvailable(lines[..2]).ShouldBeNull();
        DeviceMemory.FindAvailable([torch.CPU]).ShouldNotBeNull().ShouldBeInRange(1L << 20, DeviceMemory.OfMachine);
    }

    [Fact]
    public void A_gpu_without_a_driver_says_nothing_of_its_memory() => CudaMemory.FindFree(99).ShouldBeNull();

    [Fact]
    public void Another_failure_is_left_as_it_is() =>
        Should.Throw<ExternalException>(() =>
            new MemoryNeeds(1, 1).Load<int>(() => throw new NativeFailure("mat1 and mat2 shapes cannot be multiplied"))
        );

    /// <summary>As TorchSharp throws it for a failure of libtorch.</summary>
    private sealed class NativeFailure(string message) : ExternalException(message);
}
