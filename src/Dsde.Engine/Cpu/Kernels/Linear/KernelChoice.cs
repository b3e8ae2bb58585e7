namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>What computes linear layers on a processor.</summary>
/// <param name="Kernel">The kernel; null for torch.</param>
/// <param name="Name">As options say it.</param>
/// <param name="Reason">Why this one, for people.</param>
internal sealed record KernelChoice(LinearKernel? Kernel, string Name, string Reason)
{
    /// <summary>Name and reason.</summary>
    public string Description => $"{Name} ({Reason})";
}
