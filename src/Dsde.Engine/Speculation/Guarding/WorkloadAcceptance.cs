using Dsde.Engine.Sampling;

namespace Dsde.Engine.Speculation.Guarding;

/// <summary>
/// How the draft fares, by workload and by whether sampling is greedy: learned from every verified step, whatever the policy. New workloads
/// start from what all have taught.
/// </summary>
internal sealed class WorkloadAcceptance
{
    private const double AllDecay = 0.997; // a memory of some 300 steps of a sequence
    private const double WorkloadDecay = 0.995;
    private const double RareWeight = 8; // steps that a rare one stands for: being few, they must tell in time what has changed
    private const int MostWorkloads = 64; // labels are the clients': further ones share a curve
    private readonly Dictionary<(string?, bool), SurvivalCurve> _curves = [];
    private readonly SurvivalCurve _greedy = new(null, AllDecay);
    private readonly SurvivalCurve _sampled = new(null, AllDecay);

    /// <summary>The curve that a request's sequences follow.</summary>
    public SurvivalCurve CurveOf(GenerationRequest request)
    {
        var isGreedy = request.Sampling.IsGreedy;
        var key = (request.Workload, isGreedy);
        if (!_curves.TryGetValue(key, out var curve))
        {
            key = _curves.Count < MostWorkloads ? key : (null, isGreedy);
            if (!_curves.TryGetValue(key, out curve))
            {
                _curves[key] = curve = new SurvivalCurve(isGreedy ? _greedy : _sampled, WorkloadDecay);
            }
        }

        return curve;
    }

    /// <summary>Takes in a verified step of a sequence.</summary>
    /// <param name="request">The sequence's request.</param>
    /// <param name="own">What is known of the sequence.</param>
    /// <param name="step">The step; it may be empty.</param>
    /// <param name="isRare">Whether it was made for the sake of this, while there is no speculation otherwise.</param>
    public void Observe(GenerationRequest request, SequenceAcceptance own, in VerifiedStep step, bool isRare)
    {
        Span<double> judged = stackalloc double[Math.Min(step.Accepted + 1, step.Proposed)];
        var chancesAreKnown = BetaIsTheChance(request.Sampling);
        for (var i = 0; i < judged.Length; i++)
        {
            judged[i] =
                chancesAreKnown ? Math.Clamp(step.Beta[i], 0, 1)
                : i < step.Accepted ? 1
                : 0;
        }

        own.Add(judged);
        if (judged.Length > 0)
        {
            CurveOf(request).Add(judged, isRare ? RareWeight : 1);
        }
    }

    /// <summary>
    /// Where proposals are accepted with the probability β = Σ min(p, q) of the raw distributions, β says more than the coin (Rao and
    /// Blackwell). Elsewhere it is the chance of something else.
    /// </summary>
    internal static bool BetaIsTheChance(SamplingParameters sampling) =>
        sampling
            is {
                IsGreedy: false,
                Mode: SamplingMode.Rejection,
                Temperature: 1,
                TopK: 0,
                TopP: 1,
                MinP: 0,
                RepetitionPenalty: 1,
                PresencePenalty: 0,
                FrequencyPenalty: 0,
                LogitBias.Count: 0
            };
}
