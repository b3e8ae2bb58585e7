using Dsde.Engine.Sampling;

namespace Dsde.Engine.Tests.Sampling;

/// <summary>
/// What a position's distribution must be, in plain double precision and independently of the engine: penalties, bias, temperature, top-k,
/// top-p, min-p.
/// </summary>
internal static class ReferenceSampler
{
    /// <summary>Logits after penalties and bias.</summary>
    public static double[] Penalise(
        IReadOnlyList<float> logits,
        SamplingParameters parameters,
        IReadOnlyList<int> prompt,
        IReadOnlyList<int> output
    )
    {
        var scores = logits.Select(logit => (double)logit).ToArray();
        foreach (var id in prompt.Concat(output).Distinct())
        {
            scores[id] = scores[id] > 0 ? scores[id] / parameters.RepetitionPenalty : scores[id] * parameters.RepetitionPenalty;
        }

        foreach (var (id, count) in output.CountBy(id => id))
        {
            scores[id] -= (parameters.FrequencyPenalty * count) + parameters.PresencePenalty;
        }

        foreach (var (id, bias) in parameters.LogitBias)
        {
            scores[id] += bias;
        }

        return scores;
    }

    /// <summary>The distribution that is sampled; certain of the best token in greedy mode.</summary>
    public static double[] Distribution(
        IReadOnlyList<float> logits,
        SamplingParameters parameters,
        IReadOnlyList<int> prompt,
        IReadOnlyList<int> output
    )
    {
        var scores = Penalise(logits, parameters, prompt, output);
        var order = Enumerable.Range(0, scores.Length).OrderByDescending(id => scores[id]).ToArray();
        var probabilities = new double[scores.Length];
        if (parameters.IsGreedy)
        {
            probabilities[order[0]] = 1;
            return probabilities;
        }

        var kept = order.Take(parameters.TopK == 0 ? order.Length : parameters.TopK).ToList();
        kept = Nucleus(kept, Softmax(scores, kept, parameters.Temperature), parameters.TopP);
        var final = Softmax(scores, kept, parameters.Temperature);
        kept = [.. kept.Where((_, rank) => final[rank] >= final[0] * parameters.MinP)];
        foreach (var (rank, probability) in Softmax(scores, kept, parameters.Temperature).Index())
        {
            probabilities[kept[rank]] = probability;
        }

        return probabilities;
    }

    private static List<int> Nucleus(List<int> ids, double[] probabilities, double mass)
    {
        var before = 0.0;
        var count = 0;
        while (count < ids.Count && (before < mass || mass >= 1))
        {
            before += probabilities[count++];
        }

        return ids[..count];
    }

    private static double[] Softmax(double[] scores, List<int> ids, double temperature)
    {
        var weights = ids.Select(id => Math.Exp((scores[id] - scores[ids[0]]) / temperature)).ToArray();
        var sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }
}
