using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Iteration;

/// <summary>
/// What the draft has proposed, step after step. Sequences are known by their rank, and those of a step stand in the order of their ranks:
/// proposal d of the sequence at rank r is element <see cref="IndexOf"/>. P proposals in all.
/// </summary>
internal sealed class DraftedTokens
{
    private readonly List<int[]> _ranks = [];
    private readonly List<int> _stepStarts = [0];

    /// <summary>No step yet; they are added as drafting goes on.</summary>
    public DraftedTokens() { }

    /// <summary>Plans all steps from the number of tokens that is drafted for each rank.</summary>
    public DraftedTokens(IReadOnlyList<int> lengths)
    {
        for (var step = 0; step < lengths.DefaultIfEmpty(0).Max(); step++)
        {
            AddStep([.. Enumerable.Range(0, lengths.Count).Where(rank => lengths[rank] > step)]);
        }
    }

    /// <summary>Draft steps.</summary>
    public int StepCount => _ranks.Count;

    /// <summary>Proposals in all (P).</summary>
    public int Count => _stepStarts[^1];

    /// <summary>
    /// The draft's best token by perturbed score at each step: what it proposes but in rejection mode, where it draws. <c>[n_d] i64</c>
    /// </summary>
    public List<Tensor> Choices { get; } = [];

    /// <summary>Raw logits of each step. <c>[n_d, V] f32</c></summary>
    public List<Tensor> Logits { get; } = [];

    /// <summary>
    /// The distributions drawn from, after temperature and truncation; empty if nobody is in rejection mode. <c>[n_d, V] f32</c>
    /// </summary>
    public List<Tensor> Distributions { get; } = [];

    /// <summary>The proposals of each step. <c>[n_d] i64</c></summary>
    public List<Tensor> TokenIds { get; } = [];

    /// <summary>Adds a step of some ranks, ascending, each of which takes part in the step before.</summary>
    public void AddStep(int[] ranks)
    {
        _ranks.Add(ranks);
        _stepStarts.Add(Count + ranks.Length);
    }

    /// <summary>Ranks that take part in a step, ascending. <c>[n_d]</c></summary>
    public ReadOnlySpan<int> RanksIn(int step) => _ranks[step];

    /// <summary>Sequences that take part in a step.</summary>
    public int ActiveIn(int step) => _ranks[step].Length;

    /// <summary>Whether a step is that of the first ranks, without gaps.</summary>
    public bool IsPrefix(int step) => _ranks[step][^1] == _ranks[step].Length - 1;

    /// <summary>Tokens proposed for a rank.</summary>
    public int LengthOf(int rank)
    {
        var length = 0;
        while (TryIndexOf(length, rank) is not null)
        {
            length++;
        }

        return length;
    }

    /// <summary>Element of a proposal in the concatenation of all steps.</summary>
    public int IndexOf(int step, int rank) =>
        TryIndexOf(step, rank)
        ?? throw new ArgumentOutOfRangeException(nameof(rank), rank, $"Nothing was proposed for this rank in step {step}.");

    /// <summary>As <see cref="IndexOf"/>; null if the sequence has no proposal at that step.</summary>
    public int? TryIndexOf(int step, int rank)
    {
        if (step >= StepCount)
        {
            return null;
        }

        var place = IsPrefix(step) ? rank : Array.BinarySearch(_ranks[step], rank);
        return place >= 0 && place < _ranks[step].Length ? _stepStarts[step] + place : null;
    }

    /// <summary>The proposals of a step that a later one continues: its ranks' places in the step before. <c>[n_d] i64</c></summary>
    public long[] PlacesBefore(int step) => Array.ConvertAll(_ranks[step], rank => (long)(IndexOf(step - 1, rank) - _stepStarts[step - 1]));
}
