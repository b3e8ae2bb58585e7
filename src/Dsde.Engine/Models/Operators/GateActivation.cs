namespace Dsde.Engine.Models.Operators;

/// <summary>The function on the gate of a gated MLP.</summary>
internal enum GateActivation
{
    /// <summary>x·σ(x): Llama, Mistral, Qwen.</summary>
    Silu,

    /// <summary>GELU in its tanh form: Gemma.</summary>
    GeluTanh,
}
