using Dsde.Engine.Kv;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Operators;
using Dsde.Engine.Models.Passes;
using TorchSharp;

namespace Dsde.Engine.Tests.Models.Operators;

/// <summary>A random pass over a cache full of random numbers, and what double precision makes of it.</summary>
internal sealed class AttentionCase : IDisposable
{
    private const int SlotCount = 3;
    private const int MaxLength = 200;
    private static readonly int[] HeadDims = [2, 6, 8, 20, 24, 32, 40, 48, 64, 80, 96, 128];

    private readonly torch.ScalarType _type;
    private readonly int _heads;
    private readonly int _groups;
    private readonly int _headDim;
    private readonly RotaryTable _rotary;
    private readonly AttentionShape _shape;
    private readonly RowSpan[] _spans;
    private readonly torch.Tensor _qkv; // [R, (h + 2g)·d]
    private readonly KvCache _cache; // as kernels read it
    private readonly KvCache _byPosition; // the same as torch does

    public AttentionCase(Random random, torch.ScalarType type)
    {
        _type = type;
        _groups = random.Next(1, 4);
        _heads = _groups * random.Next(1, 5);
        _headDim = HeadDims[random.Next(HeadDims.Length)];
        _rotary = new RotaryTable(_headDim, 10000, MaxLength, type, torch.CPU);
        _shape = new AttentionShape(_heads, _groups, _headDim, 1 / Math.Sqrt(_headDim), _rotary)
        {
            SoftCap = random.Next(4) == 0 ? 20 : null,
            SlidingWindow = random.Next(3) == 0 ? random.Next(1, 150) : null,
            NormEps = 1e-6,
        };
        _spans =
        [
            .. Enumerable
                .Range(0, random.Next(1, SlotCount + 1))
                .Select(slot => (slot, count: random.Next(3) == 0 ? random.Next(1, 90) : random.Next(1, 6)))
                .Select(row => new RowSpan(row.slot, random.Next(0, MaxLength - row.count + 1), row.count)),
        ];
        _qkv = CpuOpsFixture.Random(
            random.Next(),
            type,
            Math.Pow(2, random.Next(-1, 2)),
            _spans.Sum(span => span.Count),
            (_heads + (2 * _groups)) * _headDim
        );
        _cache = TestCache.CreateFull(SlotCount, MaxLength, _groups, _headDim, type, KvLayout.Weights);
        _cache.Keys(0).copy_(CpuOpsFixture.Random(random.Next(), type, 1, _cache.Keys(0).shape));
        _cache.Values(0).copy_(CpuOpsFixture.Random(random.Next(), type, 1, _cache.Values(0).shape));
        _byPosition = TestCache.ByPosition(_cache, _groups, _headDim);
    }

    public override string ToString() =>
        $"{_type}, {_heads}/{_groups} heads of {_headDim}, window {_shape.SlidingWindow}, cap {_shape.SoftCap}: {string.Join(" ", _spans)}";

    /// <summary>What operators make of it, keys and values written as well. <c>[R, h·d]</c></summary>
    public double[] Run(IDecoderOps ops)
    {
        var cache = ops.CacheLayout == KvLayout.Weights ? _cache : _byPosition;
        using var rows = CpuOpsFixture.Rows(cache, _spans);
        return Numbers(ops.Attend(_qkv, _shape, rows, cache.Keys(0), cache.Values(0)));
    }

    /// <summary>
    /// In double precision, from the keys and values that a run of kernels has left in the cache; queries rotated by the angles of the
    /// type, and not
    /// rounded. <c>[R, h·d]</c>
    /// </summary>
    public double[] Expected()
    {
        var (qkv, cos, sin) = (Numbers(_qkv), Numbers(_rotary.Cos), Numbers(_rotary.Sin));
        var keys = Numbers(KvLayout.Weights.ByPosition(_cache.Keys(0), areKeys: true));
        var values = Numbers(KvLayout.Weights.ByPosition(_cache.Values(0), areKeys: false));
        var width = (_heads + (2 * _groups)) * _headDim;
        var results = new List<double>();
        var row = 0;
        foreach (var span in _spans)
        {
            for (var i = 0; i < span.Count; i++, row++)
            {
                for (var head = 0; head < _heads; head++)
                {
                    var query = Rotate(qkv.AsSpan((row * width) + (head * _headDim), _headDim), cos, sin, span.First + i);
                    results.AddRange(Attend(query, span.Slot, span.First + i, head / (_heads / _groups), keys, values));
                }
            }
        }

        return [.. results];
    }

    public void Dispose()
    {
        _rotary.Dispose();
        _cache.Dispose();
        _byPosition.Dispose();
    }

    private double[] Rotate(ReadOnlySpan<double> head, double[] cos, double[] sin, int position)
    {
        var rotated = new double[_headDim];
        for (var d = 0; d < _headDim; d++)
        {
            var swapped = head[d < _headDim / 2 ? d + (_headDim / 2) : d - (_headDim / 2)];
            rotated[d] = (head[d] * cos[(position * _headDim) + d]) + (swapped * sin[(position * _headDim) + d]);
        }

        return rotated;
    }

    private double[] Attend(double[] query, int slot, int position, int group, double[] keys, double[] values)
    {
        var first = Math.Max(0, position + 1 - (_shape.SlidingWindow ?? int.MaxValue / 2));
        var places = Enumerable
            .Range(first, position + 1 - first)
            .Select(key => ((int)_cache.Table.PlaceOf(slot, key) + (group * BlockTable.BlockLength)) * KvLayout.Weights.WidthOf(_headDim))
            .ToArray();
        var scores = places.Select(place => Score(query, keys.AsSpan(place, _headDim))).ToArray();
        var largest = scores.Max();
        var weights = scores.Select(score => Math.Exp(score - largest)).ToArray();
        var total = weights.Sum();
        var result = new double[_headDim];
        for (var i = 0; i < places.Length; i++)
        {
            for (var d = 0; d < _headDim; d++)
            {
                result[d] += weights[i] * values[places[i] + d] / total;
            }
        }

        return result;
    }

    private double Score(double[] query, ReadOnlySpan<double> key)
    {
        var sum = 0.0;
        for (var d = 0; d < _headDim; d++)
        {
            sum += query[d] * key[d];
        }

        sum *= _shape.Scale;
        return _shape.SoftCap is { } cap ? Math.Tanh(sum / cap) * cap : sum;
    }

    private static double[] Numbers(torch.Tensor tensor)
    {
        using var scope = torch.NewDisposeScope();
        return tensor.to(torch.ScalarType.Float64).contiguous().data<double>().ToArray();
    }
}
