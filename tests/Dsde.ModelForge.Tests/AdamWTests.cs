using Dsde.ModelForge.Training;
using TorchSharp;
using Parameter = TorchSharp.Modules.Parameter;

namespace Dsde.ModelForge.Tests;

public sealed class AdamWTests
{
    private static readonly double[] Gradients = [0.5, -2, 0.001];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_parameter_goes_where_the_algorithm_in_double_precision_sends_it(bool decays)
    {
        using var parameter = new Parameter(torch.tensor([1.5f]));
        using var optimizer = new AdamW([(parameter, decays)]);
        var (expected, first, second) = (1.5, 0.0, 0.0);

        for (var step = 1; step <= Gradients.Length; step++)
        {
            var (gradient, rate) = (Gradients[step - 1], 0.1 / step);
            optimizer.ForgetGradients();
            using var value = parameter.mul(torch.tensor((float)gradient)).sum();
            value.backward();
            optimizer.Step(rate);

            first = (0.9 * first) + (0.1 * gradient);
            second = (0.95 * second) + (0.05 * gradient * gradient);
            expected -= decays ? rate * 0.05 * expected : 0;
            expected -= rate * (first / (1 - Math.Pow(0.9, step))) / (Math.Sqrt(second / (1 - Math.Pow(0.95, step))) + 1e-8);
            parameter.item<float>().ShouldBe((float)expected, 1e-5f);
        }
    }
}
