using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Kv;
using Dsde.Engine.Torch;
using TorchSharp;
using static Dsde.Engine.Tests.Models.Operators.CpuOpsFixture;

namespace Dsde.Engine.Tests.Kv;

/// <summary>How positions lie in a block: what kernels write is what torch reads, position by position.</summary>
public sealed class KvLayoutTests
{
    [Theory]
    [InlineData(torch.ScalarType.BFloat16, 64)]
    [InlineData(torch.ScalarType.BFloat16, 20)]
    [InlineData(torch.ScalarType.Float32, 16)]
    [InlineData(torch.ScalarType.Float32, 6)]
    public unsafe void What_kernels_put_is_read_position_by_position(torch.ScalarType type, int headDim)
    {
        using var scope = torch.NewDisposeScope();
        var width = KvLayout.Weights.WidthOf(headDim);
        var numbers = torch.randn([BlockTable.BlockLength, headDim]).to(type);
        var padded = torch.nn.functional.pad(numbers, [0, width - headDim]).contiguous();
        var keys = torch.empty([BlockTable.BlockLength, width], type).fill_(Scalars.Of(float.NaN));
        var values = torch.empty([BlockTable.BlockLength, width], type).fill_(Scalars.Of(float.NaN));

        for (var position = 0; position < BlockTable.BlockLength; position++)
        {
            if (type == torch.ScalarType.BFloat16)
            {
                Put<ushort>(padded, keys, values, position, headDim, width);
            }
            else
            {
                Put<float>(padded, keys, values, position, headDim, width);
            }
        }

        ShouldBeSame(KvLayout.Weights.ByPosition(keys, areKeys: true), padded);
        ShouldBeSame(KvLayout.Weights.ByPosition(values, areKeys: false), padded);
    }

    [Theory]
    [InlineData(torch.ScalarType.BFloat16)]
    [InlineData(torch.ScalarType.Float32)]
    public void Clearing_leaves_the_positions_before_and_nothing_behind(torch.ScalarType type)
    {
        foreach (var layout in Enum.GetValues<KvLayout>())
        {
            foreach (var areKeys in (bool[])[true, false])
            {
                for (var first = 1; first < BlockTable.BlockLength; first++)
                {
                    using var scope = torch.NewDisposeScope();
                    var places = torch.randn([2 * 3 * BlockTable.BlockLength, 32]).to(type); // two layers of three heads
                    var before = layout.ByPosition(places, areKeys).clone().view(6, BlockTable.BlockLength, 32);

                    layout.Clear(places.view(2, 3, -1), first, areKeys);

                    var after = layout.ByPosition(places, areKeys).view(6, BlockTable.BlockLength, 32);
                    ShouldBeSame(after.narrow(1, 0, first), before.narrow(1, 0, first));
                    after.narrow(1, first, BlockTable.BlockLength - first).count_nonzero().item<long>().ShouldBe(0);
                }
            }
        }
    }

    private static unsafe void Put<T>(torch.Tensor padded, torch.Tensor keys, torch.Tensor values, int position, int headDim, int width)
        where T : unmanaged
    {
        var number = (T*)NativeTensor.Address(padded) + (position * width);
        KeptHead<T>.PutKey(number, (T*)NativeTensor.Address(keys), position, width);
        KeptHead<T>.PutValue(number, (T*)NativeTensor.Address(values), position, headDim, BlockTable.BlockLength);
    }
}
