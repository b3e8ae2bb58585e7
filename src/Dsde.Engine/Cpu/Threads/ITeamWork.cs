namespace Dsde.Engine.Cpu.Threads;

/// <summary>Work that falls into items which may run in any order and at the same time.</summary>
internal interface ITeamWork
{
    /// <summary>Does one item. Must not depend on which thread does it, or when.</summary>
    void Run(int item);
}
