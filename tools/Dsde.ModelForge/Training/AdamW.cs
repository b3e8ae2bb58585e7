using Dsde.Engine.Torch;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsde.ModelForge.Training;

/// <summary>
/// Adam with decoupled weight decay (arXiv 1711.05101, algorithm 2). TorchSharp's own steps give torch numbers that the collector may free
/// meanwhile; here every number is kept or is a tensor.
/// </summary>
internal sealed class AdamW(IEnumerable<(Parameter Parameter, bool Decays)> parameters) : IDisposable
{
    private const double WeightDecay = 0.05;
    private const double FirstDecay = 0.9;
    private const double SecondDecay = 0.95;
    private const double Epsilon = 1e-8;

    private readonly Moments[] _moments = [.. parameters.Select(item => new Moments(item.Parameter, item.Decays))];
    private int _steps;

    /// <summary>Before a backward pass.</summary>
    public void ForgetGradients()
    {
        foreach (var moments in _moments)
        {
            moments.Parameter.grad = null;
        }
    }

    /// <summary>Moves every parameter against its gradient.</summary>
    public void Step(double learningRate)
    {
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        _steps++;
        var kept = tensor((float)(1 - (learningRate * WeightDecay)));
        var rate = tensor((float)(-learningRate / (1 - Math.Pow(FirstDecay, _steps))));
        var correction = tensor((float)(1 / Math.Sqrt(1 - Math.Pow(SecondDecay, _steps))));
        foreach (var (parameter, decays, first, second) in _moments)
        {
            using var gradient = parameter.grad ?? throw new InvalidOperationException("A parameter has no gradient: nothing reads it.");
            first.mul_(Scalars.Of(FirstDecay)).add_(gradient, Scalars.Of(1 - FirstDecay));
            second.mul_(Scalars.Of(SecondDecay)).addcmul_(gradient, gradient, Scalars.Of(1 - SecondDecay));
            if (decays)
            {
                parameter.mul_(kept);
            }

            using var width = second.sqrt().mul_(correction).add_(Scalars.Of(Epsilon), Scalars.Of(1));
            using var move = first.div(width).mul_(rate);
            parameter.PlusInPlace(move);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var moments in _moments)
        {
            moments.First.Dispose();
            moments.Second.Dispose();
        }
    }

    private sealed record Moments(Parameter Parameter, bool Decays)
    {
        public Tensor First { get; } = zeros_like(Parameter).DetachFromDisposeScope();

        public Tensor Second { get; } = zeros_like(Parameter).DetachFromDisposeScope();

        public void Deconstruct(out Parameter parameter, out bool decays, out Tensor first, out Tensor second) =>
            (parameter, decays, first, second) = (Parameter, Decays, First, Second);
    }
}
