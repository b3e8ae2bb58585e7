namespace Dsde.Engine.Models;

/// <summary>The rules of <see cref="RopeScaling"/>.</summary>
internal enum RopeScalingKind
{
    /// <summary>Every frequency divided by the factor (Chen et al. 2023).</summary>
    Linear,

    /// <summary>Only low frequencies divided, with a smooth passage (Llama 3.1).</summary>
    Llama3,
}
