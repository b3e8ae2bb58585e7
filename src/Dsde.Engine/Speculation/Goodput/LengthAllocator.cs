namespace Dsde.Engine.Speculation.Goodput;

/// <summary>
/// Chooses the lengths that promise the most tokens per time. From all lengths 0 on, one more draft token goes to the sequence with the
/// largest chance that it is reached and accepted, α̂^(k+1); of all allocations on this way the best is taken. It is not enough to stop at
/// the first token that doesn't pay: a draft pass costs nearly the same for one sequence as for many, so that only several together may pay
/// for it.
/// </summary>
internal sealed class LengthAllocator(IterationCosts costs)
{
    /// <summary>Allocates for one iteration.</summary>
    /// <param name="acceptance">α̂ of each sequence. <c>[n]</c></param>
    /// <param name="context">The iteration.</param>
    /// <param name="otherAcceptance">α̂ assumed for the batch's other sequences.</param>
    public LengthAllocation Allocate(ReadOnlySpan<double> acceptance, in PlanningContext context, double otherAcceptance)
    {
        var batch = new BatchUnderPlan(costs, acceptance.Length, context.OtherLengths, otherAcceptance);
        var plainRate = batch.Rate;
        var lengths = new int[acceptance.Length];
        var order = new List<int>();
        var bestCount = 0;
        var bestRate = 0d;
        var candidates = new PriorityQueue<int, double>();
        for (var i = 0; i < acceptance.Length; i++)
        {
            if (context.MaxLengths[i] > 0)
            {
                candidates.Enqueue(i, -acceptance[i]);
            }
        }

        while (candidates.TryDequeue(out var i, out var negatedChance))
        {
            if (lengths[i] == 0 && !batch.CanCatchUp(context.DraftLags[i]))
            {
                continue;
            }

            batch.Add(lengths[i], context.DraftLags[i], -negatedChance);
            lengths[i]++;
            order.Add(i);
            if (batch.Rate > bestRate)
            {
                (bestRate, bestCount) = (batch.Rate, order.Count);
            }

            if (lengths[i] < context.MaxLengths[i])
            {
                candidates.Enqueue(i, negatedChance * acceptance[i]);
            }
        }

        Array.Clear(lengths);
        foreach (var i in order.Take(bestCount))
        {
            lengths[i]++;
        }

        return new LengthAllocation(lengths, bestRate, plainRate);
    }
}
