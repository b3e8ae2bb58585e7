namespace Dsde.Pipeline.Hosting;

/// <summary>Who this worker is in the database.</summary>
/// <param name="WorkerId">Unique among living workers.</param>
internal sealed record WorkerIdentity(string WorkerId)
{
    /// <summary>This start of it, which no other start shares: a configured name may have many.</summary>
    public Guid StartId { get; } = Guid.CreateVersion7();

    /// <summary>The configured name, or the machine's with a random part.</summary>
    public static WorkerIdentity Create(WorkerOptions options) =>
        new(
            options.WorkerId.Length > 0
                ? options.WorkerId
                : $"{Environment.MachineName}-{Guid.NewGuid():N}"[..Math.Min(60, Environment.MachineName.Length + 9)]
        );
}
