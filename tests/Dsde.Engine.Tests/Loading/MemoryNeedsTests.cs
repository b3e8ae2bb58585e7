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
    public void Needs_are_weights_and_the_cache_of_every_slot_of_all_models()
    {
        TestModelFolder.Write(_folder.Path, new TestModelShape { Tied = true });
        var folder = ModelFolder.Open(_folder.Path);

        var needs = MemoryNeeds.Of([folder, folder], slots: 3, positions: 100, torch.ScalarType.BFloat16);

        // 300·32 embedding, 32 norm, and per layer 2·32 norms, (4 + 2·2 + 4)·8·32 attention, 3·32·64 MLP.
        needs.Weights.ShouldBe(2 * 2 * ((300 * 32) + 32 + (3 * (64 + (12 * 8 * 32) + (3 * 32 * 64)))));
        needs.KvCache.ShouldBe(2 * 2 * 2 * 3 * 2 * 8 * 3 * 100);
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
                options => (options.MaxLength, options.RetainedSlots) = (1 << 20, 24)
            );

        var message = Should.Throw<ModelLoadException>(load).Message;

        message.ShouldContain("384.00 GiB for keys and values of 1024 slots of 1048576 tokens");
        message.ShouldContain("Lower Dsde:Engine:MaxLength or BatchSize");
    }

    [Theory]
    [InlineData("CUDA out of memory. Tried to allocate 2.00 GiB.")]
    [InlineData(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 274877906944 "
            + "bytes."
    )]
    public void A_failed_allocation_says_what_was_needed(string message)
    {
        var needs = new MemoryNeeds(3L << 30, 5L << 30, 8, 4096);

        var failure = Should.Throw<ModelLoadException>(() => needs.Load<int>(() => throw new NativeFailure(message)));

        failure.Message.ShouldContain(
            "3.00 GiB for weights and 5.00 GiB for keys and values of 8 slots of 4096 tokens, but the device ran out of memory"
        );
        failure.InnerException!.Message.ShouldBe(message);
    }

    [Fact]
    public void Another_failure_is_left_as_it_is() =>
        Should.Throw<ExternalException>(() =>
            new MemoryNeeds(1, 1, 1, 1).Load<int>(() => throw new NativeFailure("mat1 and mat2 shapes cannot be multiplied"))
        );

    /// <summary>As TorchSharp throws it for a failure of libtorch.</summary>
    private sealed class NativeFailure(string message) : ExternalException(message);
}
