using System.Globalization;
using Dsde.Engine.Cpu.Memory;

namespace Dsde.Engine.Tests.Cpu;

public sealed unsafe class ExecutableMemoryTests
{
    [Fact]
    public void Code_that_was_placed_can_be_run_and_not_be_written()
    {
        byte[] code = [0x8D, 0x47, 0x2A, 0xC3]; // lea eax, [rdi + 42]; ret

        var place = ExecutableMemory.TryPlace(code);

        Assert.True(place != null, "This system lets code be made at run time.");
        ((delegate* unmanaged<int, int>)place)(100).ShouldBe(142);
        var mapping = File.ReadLines("/proc/self/maps").Single(line => Contains(line, (ulong)place));
        mapping.Split(' ')[1].ShouldBe("r-xp");
    }

    private static bool Contains(string line, ulong address)
    {
        var ends = line.Split(' ')[0].Split('-').Select(text => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        return ends.First() <= address && address < ends.Last();
    }
}
