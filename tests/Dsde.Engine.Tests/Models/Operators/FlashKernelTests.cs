using Dsde.Engine.Models;
using Dsde.Engine.Models.Operators;
using Dsde.Engine.Models.Operators.Attention;
using Dsde.Engine.Models.Passes;
using TorchSharp;

namespace Dsde.Engine.Tests.Models.Operators;

/// <summary>
/// What can be known of the flash kernel without a GPU: that its source compiles, what it is used for, and what it is told.
/// </summary>
public sealed class FlashKernelTests
{
    [Theory]
    [InlineData(0.125, null)]
    [InlineData(0.08838834764831845, 4096)]
    [InlineData(1.0, 1)]
    public void The_source_compiles_with_every_number(double scale, int? window)
    {
        FlashKernel.For(scale, window).ShouldBeSameAs(FlashKernel.For(scale, window));
    }

    [Theory]
    [InlineData(torch.ScalarType.BFloat16, 128, null, true)]
    [InlineData(torch.ScalarType.Float16, 256, null, true)]
    [InlineData(torch.ScalarType.Float32, 128, null, false)]
    [InlineData(torch.ScalarType.BFloat16, 128, 50.0, false)]
    [InlineData(torch.ScalarType.BFloat16, 264, null, false)]
    [InlineData(torch.ScalarType.BFloat16, 84, null, false)]
    public void It_computes_plain_scores_of_narrow_types_in_heads_it_knows(
        torch.ScalarType type,
        int headDim,
        double? softCap,
        bool expected
    )
    {
        using var rotary = new RotaryTable(headDim, 10000, 4, type, torch.CPU);

        FlashAttention.Computes(type, new AttentionShape(4, 2, headDim, 0.1, rotary) { SoftCap = softCap }).ShouldBe(expected);
    }

    [Fact]
    public void It_is_told_where_rows_and_keys_of_each_sequence_begin_and_gets_the_keys_in_that_order()
    {
        using var scope = torch.NewDisposeScope();
        using var cache = TestCache.Create(slotCount: 4, maxLength: 100);
        var layout = new PassLayout(cache);
        layout.Add(slot: 3, first: 7, count: 2);
        layout.Add(slot: 0, first: 0, count: 5);
        layout.Add(slot: 1, first: 40, count: 1);
        var stage = new IndexStage();
        layout.Stage(stage, []);
        var tokens = stage.Add(new long[8]);
        stage.Upload(torch.CPU);
        using var rows = layout.Bind(stage, stage.Slice(tokens));

        var indices = rows.Ragged;

        indices.QueryBounds.data<int>().ToArray().ShouldBe([0, 2, 7, 8]);
        indices.KeyBounds.data<int>().ToArray().ShouldBe([0, 9, 14, 55]);
        indices.Most.shape.ShouldBe([5, 41, 0]);
        (int Slot, int Count)[] keys = [(3, 9), (0, 5), (1, 41)];
        rows.Places.Ragged.data<long>()
            .ToArray()
            .ShouldBe(keys.SelectMany(slot => Enumerable.Range(0, slot.Count).Select(i => cache.Table.PlaceOf(slot.Slot, i))));
    }
}
