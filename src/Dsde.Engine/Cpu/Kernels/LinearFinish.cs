namespace Dsde.Engine.Cpu.Kernels;

/// <summary>What becomes of a linear layer's sums.</summary>
internal enum LinearFinish
{
    /// <summary>They are the result, in the type of the activations.</summary>
    Keep,

    /// <summary>They are added to a residual.</summary>
    AddResidual,

    /// <summary>They are the result, in fp32.</summary>
    KeepWide,

    /// <summary>The first half goes through SiLU and gates the second.</summary>
    GateSilu,

    /// <summary>The first half goes through GELU and gates the second.</summary>
    GateGelu,
}
