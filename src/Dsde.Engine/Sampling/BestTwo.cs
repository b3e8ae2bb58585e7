using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dsde.Engine.Sampling;

/// <summary>
/// The best token of a row so far, and how far behind it the second best is, by lanes. Noise is only made for tokens that can come among
/// the two best with it: for a few hundred of 128,000, where making it for all would take as long as a small model's whole pass.
/// </summary>
/// <param name="first">The best where no token has a score: all are −∞, or none is a number.</param>
internal struct BestTwo(uint first)
{
    private Vector512<float> _best = Vector512.Create(float.NegativeInfinity);
    private Vector512<float> _second = Vector512.Create(float.NegativeInfinity);
    private Vector512<uint> _places = Vector512.Create(first);
    private float _reach = float.NegativeInfinity; // the second best of all lanes

    /// <summary>Looks at 16 tokens; ids ascend from call to call.</summary>
    /// <param name="values">Their scores, −∞ for what does not count.</param>
    /// <param name="ids">Their ids.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Vector512<float> values, Vector512<uint> ids)
    {
        var isBetter = Vector512.GreaterThan(values, _best);
        _second = Vector512.Max(_second, Vector512.ConditionalSelect(isBetter, _best, values));
        _best = Vector512.ConditionalSelect(isBetter, values, _best);
        _places = Vector512.ConditionalSelect(isBetter.AsUInt32(), ids, _places);
    }

    /// <summary>As <see cref="Add"/>, and adds their noise.</summary>
    /// <param name="values">As there.</param>
    /// <param name="ids">As there.</param>
    /// <param name="key">Whose noise.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddWithNoise(Vector512<float> values, Vector512<uint> ids, NoiseKey key)
    {
        var hashes = NoiseKernel.Hash(ids, key);
        if (Vector512.GreaterThanAny(values + NoiseKernel.BoundOf(hashes), Vector512.Create(_reach)))
        {
            AddHashed(values, ids, hashes);
        }
    }

    /// <summary>The best token, among equals the first.</summary>
    /// <param name="margin">Distance to the second best, 0 if the best comes twice, ∞ if there is none.</param>
    public readonly int Reduce(out float margin)
    {
        var winner = FindWinner();
        margin = _best[winner] - LogitKernel.LargestOf(Vector512.Max(_second, _best.WithElement(winner, float.NegativeInfinity)));
        return (int)_places[winner];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AddHashed(Vector512<float> values, Vector512<uint> ids, Vector512<uint> hashes)
    {
        Add(values + NoiseKernel.FromHash(hashes), ids);
        _reach = LogitKernel.LargestOf(Vector512.Max(_second, _best.WithElement(FindWinner(), float.NegativeInfinity)));
    }

    private readonly int FindWinner()
    {
        var winner = 0;
        for (var lane = 1; lane < Vector512<float>.Count; lane++)
        {
            if (_best[lane] > _best[winner] || (_best[lane] == _best[winner] && _places[lane] < _places[winner]))
            {
                winner = lane;
            }
        }

        return winner;
    }
}
