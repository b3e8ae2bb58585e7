namespace Dsde.Engine.Tests.Models.Reference;

/// <summary>Rotary positions: number i of a head turns with number i + d/2.</summary>
internal static class ReferenceRotation
{
    private const double Theta = 10_000;

    public static double[] Rotate(TestModelShape shape, double[] head, int position)
    {
        var half = shape.HeadDim / 2;
        var rotated = new double[shape.HeadDim];
        for (var i = 0; i < half; i++)
        {
            var angle = position * Frequency(shape, i);
            rotated[i] = (head[i] * Math.Cos(angle)) - (head[i + half] * Math.Sin(angle));
            rotated[i + half] = (head[i + half] * Math.Cos(angle)) + (head[i] * Math.Sin(angle));
        }

        return rotated;
    }

    private static double Frequency(TestModelShape shape, int pair)
    {
        var plain = 1 / Math.Pow(Theta, 2.0 * pair / shape.HeadDim);
        return shape.RopeScaling switch
        {
            null => plain,
            { Type: "linear" } linear => plain / linear.Factor,
            var llama3 => Llama3(plain, llama3),
        };
    }

    /// <summary>In wavelengths, as Llama 3.1's reference code has it.</summary>
    private static double Llama3(double frequency, TestRopeScaling scaling)
    {
        var wavelength = 2 * Math.PI / frequency;
        if (wavelength < scaling.OriginalContext / scaling.HighFrequencyFactor)
        {
            return frequency;
        }

        if (wavelength > scaling.OriginalContext / scaling.LowFrequencyFactor)
        {
            return frequency / scaling.Factor;
        }

        var smooth =
            ((scaling.OriginalContext / wavelength) - scaling.LowFrequencyFactor)
            / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return ((1 - smooth) * frequency / scaling.Factor) + (smooth * frequency);
    }
}
