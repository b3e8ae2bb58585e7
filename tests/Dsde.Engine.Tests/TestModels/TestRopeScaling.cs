namespace Dsde.Engine.Tests.TestModels;

/// <summary>The object under <c>rope_scaling</c>; the last three for <c>llama3</c> only.</summary>
public sealed record TestRopeScaling(
    string Type,
    double Factor,
    double LowFrequencyFactor = 0,
    double HighFrequencyFactor = 0,
    int OriginalContext = 0
);
