namespace Dsde.Persistence.Jobs;

/// <summary>A worker that has lately said that it is there.</summary>
/// <param name="WorkerId">Who.</param>
/// <param name="Up">How long ago its process started, by the database's clock.</param>
/// <param name="SeenAgo">How long ago it said so, by the database's clock.</param>
/// <param name="Host">The machine.</param>
/// <param name="Version">Version of the program.</param>
/// <param name="Models">Aliases of the models it serves.</param>
/// <param name="BatchSize">Sequences its engine runs at once.</param>
/// <param name="HeldJobs">Jobs it has, waiting or running.</param>
/// <param name="WaitingForClaim">Messages it has whose jobs another worker has.</param>
public sealed record LivingWorker(
    string WorkerId,
    TimeSpan Up,
    TimeSpan SeenAgo,
    string Host,
    string Version,
    IReadOnlyList<string> Models,
    int BatchSize,
    int HeldJobs,
    int WaitingForClaim
);
