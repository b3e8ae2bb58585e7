using Dsde.Engine.Models;
using static TorchSharp.torch;

namespace Dsde.Engine.Scheduling;

/// <summary>
/// What the draft has proposed, step after step: step d holds the first <c>n_d</c> sequences of the order (longest speculation first), so that
/// proposal d of the sequence at rank r is element <see cref="IndexOf"/>. P proposals in all.
/// </summary>
internal sealed class DraftedTokens
{
    private readonly int[] _stepStarts;

    /// <summary>Plans the steps from speculation lengths in descending order.</summary>
    public DraftedTokens(ReadOnlySpan<int> lengths)
    {
        var steps = lengths.IsEmpty ? 0 : lengths[0];
        _stepStarts = new int[steps + 1];
        for (var step = 0; step < steps; step++)
        {
            var active = 0;
            while (active < lengths.Length && lengths[active] > step)
            {
                active++;
            }

            _stepStarts[step + 1] = _stepStarts[step] + active;
        }
    }

    /// <summary>Draft steps: the longest speculation length.</summary>
    public int StepCount => _stepStarts.Length - 1;

    /// <summary>Proposals in all (P).</summary>
    public int Count => _stepStarts[^1];

    /// <summary>Raw logits of each step. <c>[n_d, V] f32</c></summary>
    public List<Tensor> Logits { get; } = [];

    /// <summary>The distributions drawn from, after temperature and truncation; empty if all is greedy. <c>[n_d, V] f32</c></summary>
    public List<Tensor> Distributions { get; } = [];

    /// <summary>The proposals of each step. <c>[n_d] i64</c></summary>
    public List<Tensor> TokenIds { get; } = [];

    /// <summary>Sequences that take part in a step.</summary>
    public int ActiveIn(int step) => _stepStarts[step + 1] - _stepStarts[step];

    /// <summary>Element of a proposal in the concatenation of all steps.</summary>
    public int IndexOf(int step, int rank) => _stepStarts[step] + rank;

    /// <summary>As <see cref="IndexOf"/>; null if the sequence has no proposal at that step.</summary>
    public int? TryIndexOf(int step, int rank) => step < StepCount && rank < ActiveIn(step) ? IndexOf(step, rank) : null;
}
