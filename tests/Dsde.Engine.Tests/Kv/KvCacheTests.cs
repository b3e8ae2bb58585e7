using CsCheck;
using Dsde.Engine.Kv;
using TorchSharp;

namespace Dsde.Engine.Tests.Kv;

/// <summary>Blocks of a cache: what a slot holds is its own, however blocks are shared, copied, given back and taken again.</summary>
public sealed class KvCacheTests
{
    private const int SlotCount = 5;
    private const int MaxLength = 200; // not whole blocks
    private const int Block = BlockTable.BlockLength;

    [Theory]
    [InlineData(35, null)]
    [InlineData(12, null)]
    [InlineData(35, 40)]
    [InlineData(14, 70)]
    public void Any_admissions_growth_rejections_shares_and_ends_leave_every_slot_what_it_holds(int blockCount, int? window)
    {
        var step = Gen.Select(Gen.Int[0, 8], Gen.Int[0, SlotCount - 1], Gen.Int[0, SlotCount - 1], Gen.Int[0, 90]);
        step.List[1, 120]
            .Sample(
                steps =>
                {
                    using var scope = torch.NewDisposeScope();
                    using var pair = new CacheAndModel(blockCount, window);
                    foreach (var (kind, slot, other, count) in steps)
                    {
                        pair.Do(kind, slot, other, count);
                        pair.ShouldAgree();
                    }

                    pair.ShouldGiveAllBack();
                },
                iter: 60,
                threads: 1
            );
    }

    [Fact]
    public void A_shared_block_is_copied_when_either_side_writes_to_it_and_not_before()
    {
        using var scope = torch.NewDisposeScope();
        using var pair = new CacheAndModel(SlotCount * 7, window: null);
        pair.Append(0, 50);
        var table = pair.Cache.Table;
        var free = pair.Cache.FreeBlockCount;

        pair.Share(0, 1, 50);
        pair.Share(0, 2, Block);

        pair.Cache.FreeBlockCount.ShouldBe(free);
        table[1, 0].ShouldBe(table[0, 0]);
        table[1, 1].ShouldBe(table[0, 1]);
        table.Pool.ReferencesOf(table[0, 0]).ShouldBe(3);

        pair.Append(0, 3); // who lent writes first
        table[0, 1].ShouldNotBe(table[1, 1]);
        pair.Append(1, 5); // alone by now
        pair.Append(2, 5); // begins a block of its own
        pair.Cache.FreeBlockCount.ShouldBe(free - 2);
        table[2, 0].ShouldBe(table[0, 0]);
        pair.ShouldAgree();
        pair.ShouldGiveAllBack();
    }

    [Fact]
    public void A_slot_whose_window_has_passed_holds_the_window_and_lends_only_where_all_is_there()
    {
        using var pair = new CacheAndModel(SlotCount * 7, window: 40);
        for (var i = 0; i < 19; i++)
        {
            pair.Append(0, 10);
            pair.Cache.ReleaseUnseen(0);
            (pair.Cache.BlockCount - pair.Cache.FreeBlockCount).ShouldBeLessThanOrEqualTo(pair.Cache.MostBlocks(MaxLength, rows: 10));
        }

        pair.Cache.CanShare(0, 190).ShouldBeTrue();
        pair.Cache.CanShare(0, 150).ShouldBeFalse();
        pair.Cache.CanShare(0, 191).ShouldBeFalse();
        pair.Share(0, 1, 190);
        pair.Append(1, 4);
        pair.Share(0, 2, 100); // what it would see is gone: it gets nothing
        pair.Cache.LengthOf(2).ShouldBe(0);
        pair.ShouldAgree();
        pair.ShouldGiveAllBack();
    }

    [Fact]
    public void Memory_of_blocks_that_nobody_needed_is_never_touched()
    {
        // 1 GiB, of which two blocks of 128 KiB are used.
        var before = Environment.WorkingSet;
        using var cache = TestCache.Create(8, 1 << 18, blockCount: 8192, layers: 16, groups: 4, headDim: 8, type: torch.ScalarType.Float32);

        cache.Reserve(0, 0, Block);
        cache.Reserve(1, 0, 1);

        (Environment.WorkingSet - before).ShouldBeLessThan(200L << 20);
    }

    [Fact]
    public void A_block_too_many_is_an_error_and_not_somebody_elses()
    {
        using var cache = TestCache.Create(2, 100, blockCount: 3);
        cache.Reserve(0, 0, 64);
        cache.Reserve(1, 0, 10);

        Should.Throw<InvalidOperationException>(() => cache.Reserve(1, 10, 40)).Message.ShouldContain("All 3 blocks");
    }

    /// <summary>A cache, and what must be in it: a number for each position.</summary>
    private sealed class CacheAndModel(int blockCount, int? window) : IDisposable
    {
        private readonly List<float>[] _expected = [.. Enumerable.Range(0, SlotCount).Select(_ => new List<float>())];
        private readonly int? _window = window;
        private float _next;

        public KvCache Cache { get; } = TestCache.Create(SlotCount, MaxLength, blockCount, layers: 2, window: window);

        public void Do(int kind, int slot, int other, int count)
        {
            switch (kind)
            {
                case 0 or 1 or 2:
                    Append(slot, Math.Min(count, MaxLength - _expected[slot].Count));
                    break;
                case 3:
                    Reject(slot, Math.Min(count / 4, MaxLength - _expected[slot].Count), erases: count % 2 == 0);
                    break;
                case 4 or 5:
                    Share(slot, other, count * 2);
                    break;
                case 6:
                    Truncate(slot, count);
                    break;
                case 7:
                    Move(slot, other);
                    break;
                default:
                    Cache.ReleaseUnseen(slot);
                    break;
            }
        }

        public void Append(int slot, int count)
        {
            if (Write(slot, count, out var values))
            {
                _expected[slot].AddRange(values);
                Cache.SetLength(slot, _expected[slot].Count);
            }
        }

        public void Share(int slot, int other, int length)
        {
            length = Math.Min(length, _expected[slot].Count);
            var gets = slot != other && _expected[other].Count < length && Cache.CanShare(slot, length);
            if (slot != other)
            {
                Cache.Share(slot, other, length);
            }

            if (gets)
            {
                _expected[other].Clear();
                _expected[other].AddRange(_expected[slot].Take(length));
            }
        }

        public void ShouldAgree()
        {
            Cache.CheckIntegrity();
            for (var slot = 0; slot < SlotCount; slot++)
            {
                var length = _expected[slot].Count;
                Cache.LengthOf(slot).ShouldBe(length);
                var seen = _window is { } positions ? Math.Max(0, length + 1 - positions) : 0;
                using var scope = torch.NewDisposeScope();
                if (length > seen)
                {
                    var places = torch.tensor(
                        Enumerable.Range(seen, length - seen).Select(position => Cache.Table.PlaceOf(slot, position)).ToArray()
                    );
                    Cache.Values(1).index_select(0, places).select(2, 1).data<float>().ToArray().ShouldBe(_expected[slot].Skip(seen));
                }
            }
        }

        public void ShouldGiveAllBack()
        {
            for (var slot = 0; slot < SlotCount; slot++)
            {
                Cache.SetLength(slot, 0);
            }

            Cache.FreeBlockCount.ShouldBe(Cache.BlockCount);
            Cache.CheckIntegrity();
        }

        public void Dispose() => Cache.Dispose();

        private void Reject(int slot, int count, bool erases)
        {
            if (Write(slot, count, out _))
            {
                var length = _expected[slot].Count;
                if (erases)
                {
                    Cache.Erase(slot, length);
                }
                else
                {
                    Cache.SetLength(slot, length);
                }
            }
        }

        private void Truncate(int slot, int length)
        {
            if (length < _expected[slot].Count && Cache.CanShare(slot, length))
            {
                Cache.SetLength(slot, length);
                _expected[slot].RemoveRange(length, _expected[slot].Count - length);
            }
        }

        private void Move(int slot, int other)
        {
            if (slot != other)
            {
                Cache.Move(slot, other);
                (_expected[slot], _expected[other]) = ([], _expected[slot]);
            }
        }

        /// <summary>Writes behind what a slot holds, if the blocks that are said to be missing are there.</summary>
        private bool Write(int slot, int count, out float[] values)
        {
            using var scope = torch.NewDisposeScope();
            var first = _expected[slot].Count;
            values = [.. Enumerable.Range(0, count).Select(_ => ++_next)];
            var missing = Cache.Table.CountMissing(slot, first, first + count);
            if (count == 0 || missing > Cache.FreeBlockCount)
            {
                return false;
            }

            var free = Cache.FreeBlockCount;
            Cache.Reserve(slot, first, first + count);
            Cache.FreeBlockCount.ShouldBe(free - missing);
            var places = torch.tensor(Enumerable.Range(first, count).Select(position => Cache.Table.PlaceOf(slot, position)).ToArray());
            Cache.Values(1).index_copy_(0, places, torch.tensor(values).view(-1, 1, 1).expand(-1, 1, 2).contiguous());
            return true;
        }
    }
}
