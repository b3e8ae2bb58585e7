namespace Dsde.Engine.Speculation.Goodput;

/// <summary>
/// The chance that a proposal is accepted, from the draft's entropy at it and the sequence's recent acceptance α̂: a logistic regression of
/// three parameters, fitted online (AdaGrad, Duchi et al. 2011, with a memory). Either predictor alone is weak.
/// </summary>
internal sealed class ConfidenceModel
{
    private const double Rate = 0.3;
    private const double Memory = 0.995; // of past gradients: old ones don't keep it from learning anew when the workload changes
    private const double MaxEntropy = 5; // nats; beyond it certainty differs no more
    private readonly double[] _weights = [0.5, 1, -1.5]; // intercept, logit of α̂, entropy
    private readonly double[] _squares = [0.1, 0.1, 0.1];

    /// <summary>The chance.</summary>
    /// <param name="acceptance">α̂ of the sequence, inside (0, 1).</param>
    /// <param name="entropy">Draft entropy, nats.</param>
    public double Predict(double acceptance, double entropy)
    {
        var (logit, bounded) = Features(acceptance, entropy);
        return 1 / (1 + Math.Exp(-(_weights[0] + (_weights[1] * logit) + (_weights[2] * bounded))));
    }

    /// <summary>Learns from a judged proposal.</summary>
    public void Observe(double acceptance, double entropy, bool accepted)
    {
        var (logit, bounded) = Features(acceptance, entropy);
        var error = Predict(acceptance, entropy) - (accepted ? 1 : 0);
        ReadOnlySpan<double> features = [1, logit, bounded];
        for (var i = 0; i < features.Length; i++)
        {
            var gradient = error * features[i];
            _squares[i] = (Memory * _squares[i]) + (gradient * gradient);
            _weights[i] -= Rate * gradient / Math.Sqrt(_squares[i]);
        }
    }

    private static (double Logit, double Entropy) Features(double acceptance, double entropy) =>
        (Math.Log(acceptance / (1 - acceptance)), Math.Clamp(entropy, 0, MaxEntropy));
}
