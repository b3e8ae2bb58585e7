using Dsde.Engine.Cpu.Memory;

namespace Dsde.Engine.Tests.Cpu;

public sealed unsafe class NativeBufferTests
{
    [Fact]
    public void A_buffer_that_could_not_grow_starts_anew_and_frees_nothing_twice()
    {
        using var buffer = new NativeBuffer();
        buffer.Floats(1000)[999] = 1;

        Should.Throw<OutOfMemoryException>(() => buffer.Floats(long.MaxValue / 8));

        var again = new ReadOnlySpan<float>(buffer.Floats(1000), 1000);
        again.ContainsAnyExcept(0f).ShouldBeFalse("Memory that is new is zeros; what was freed holds what it likes.");
    }
}
