using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Sampling;
using Dsde.Engine.Sequences;
using Dsde.Speculation;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Iteration;

/// <summary>Asks the policies that stop early, after each draft step, whose drafting goes on.</summary>
internal static class EarlyStops
{
    /// <summary>Whether any sequence of the plan may be stopped before its length.</summary>
    public static bool MayHappen(IReadOnlyList<PlannedSequence> plan) =>
        plan.Any(planned => planned.DraftedLength > 1 && planned.Sequence.Policy.EarlyStopping is not null);

    /// <summary>Ranks, ascending, that take part in the next step; empty if none does.</summary>
    /// <param name="tensors">The iteration so far.</param>
    /// <param name="step">The step just made.</param>
    /// <param name="logits">Its draft logits. <c>[n_d, V] f32</c></param>
    public static int[] FindRanksThatGoOn(IterationTensors tensors, int step, Tensor logits)
    {
        var ranks = tensors.Drafted.RanksIn(step);
        var goesOn = new bool[ranks.Length];
        var asked = new Dictionary<ISpeculationPolicy, List<int>>();
        for (var place = 0; place < ranks.Length; place++)
        {
            var (sequence, plan) = tensors.Plan[ranks[place]];
            goesOn[place] = plan.Length > step + 1;
            if (goesOn[place] && sequence.Policy.EarlyStopping is not null)
            {
                (asked.TryGetValue(sequence.Policy, out var places) ? places : asked[sequence.Policy] = []).Add(place);
            }
        }

        if (asked.Count > 0)
        {
            Ask(tensors, step, logits, asked, goesOn);
        }

        return [.. ranks.ToArray().Where((_, place) => goesOn[place])];
    }

    private static void Ask(
        IterationTensors tensors,
        int step,
        Tensor logits,
        Dictionary<ISpeculationPolicy, List<int>> asked,
        bool[] goesOn
    )
    {
        var entropy = MeasureEntropy(logits);
        foreach (var (policy, all) in asked)
        {
            // Logits that are no numbers have no entropy; such a row proposes nothing, and nobody need be asked.
            all.ForEach(place => goesOn[place] = float.IsFinite(entropy[place]));
            var places = all.FindAll(place => goesOn[place]);
            var decision = Enumerable.Repeat(true, places.Count).ToArray();
            var drafted = new DraftedStep
            {
                Proposed = step + 1,
                States = places.Select(place => tensors.Plan[tensors.Drafted.RanksIn(step)[place]].Sequence.PolicyState).ToArray(),
                Entropy = places.Select(place => entropy[place]).ToArray(),
            };
            policy.EarlyStopping!.Decide(drafted, decision); // only policies that have one are asked
            for (var i = 0; i < decision.Length; i++)
            {
                goesOn[places[i]] = decision[i];
            }
        }
    }

    /// <summary>Entropy of each row in nats: on a GPU one transfer. <c>[n]</c></summary>
    /// <param name="logits">Raw draft logits. <c>[n, V] f32</c></param>
    internal static float[] MeasureEntropy(Tensor logits)
    {
        if (logits.device_type == DeviceType.CPU)
        {
            return MeasureOnCpu(logits);
        }

        using var scope = NewDisposeScope();
        return MeasureOnDevice(logits).cpu().data<float>().ToArray();
    }

    /// <summary>The same in device operations. <c>[n] f32</c></summary>
    internal static Tensor MeasureOnDevice(Tensor logits) => special.entr(logits.softmax(-1)).sum(-1); // 0 for ids of probability 0

    private static unsafe float[] MeasureOnCpu(Tensor logits)
    {
        using var rows = new ContiguousTensor(logits);
        var length = (int)logits.shape[1];
        var entropy = new float[logits.shape[0]];
        for (var row = 0; row < entropy.Length; row++)
        {
            entropy[row] = LogitKernel.MeasureEntropy(rows.Address<float>() + ((long)row * length), length);
        }

        return entropy;
    }
}
