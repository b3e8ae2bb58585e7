namespace Dsde.Persistence.Workers;

/// <summary>What a worker says of itself when it comes.</summary>
/// <param name="WorkerId">Who it is; unique among living workers.</param>
/// <param name="Host">The machine it is on.</param>
/// <param name="Version">The program's version.</param>
/// <param name="Models">Aliases of the models it serves.</param>
/// <param name="BatchSize">Sequences it runs at once, at most.</param>
public sealed record WorkerDescription(string WorkerId, string Host, string Version, IReadOnlyList<string> Models, int BatchSize);
