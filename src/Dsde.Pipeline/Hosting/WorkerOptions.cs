using System.ComponentModel.DataAnnotations;

namespace Dsde.Pipeline.Hosting;

/// <summary>How the worker takes and treats jobs.</summary>
internal sealed class WorkerOptions
{
    public const string SectionName = "Dsde:Worker";

    /// <summary>Names under which jobs may ask for the model; the target folder's name always works.</summary>
    public string[] Models { get; set; } = ["dsde-demo"];

    /// <summary>Who this worker is in the database; empty for the machine's name and a random part. Unique among living workers.</summary>
    public string WorkerId { get; set; } = "";

    /// <summary>Jobs taken from the queue beyond what the engine runs at once, so that a free slot need not wait for the broker.</summary>
    [Range(0, 1000)]
    public int PrefetchMargin { get; set; } = 2;

    /// <summary>How long a claim on a job holds, in seconds; it is renewed three times in that time while the worker lives.</summary>
    [Range(5, 3600)]
    public int LeaseSeconds { get; set; } = 15;

    /// <summary>
    /// Lost starts of a job (its worker died, or was taken for dead) after which it runs alone, with no other beside it, so that nobody
    /// else is lost with it. A checkpoint that got further makes the count begin anew.
    /// </summary>
    [Range(1, 100)]
    public int LostStartsBeforeAlone { get; set; } = 3;

    /// <summary>
    /// Starts of a job that were lost while it ran alone, after which it is given up as <c>worker_lost</c>: only these count against it,
    /// because a worker that dies with many jobs dies of one of them at most.
    /// </summary>
    [Range(1, 100)]
    public int LostStartsAlone { get; set; } = 3;

    /// <summary>
    /// Time for an endpoint that has lost its consumer in the broker to come back by itself before it is restarted, in seconds; time in
    /// which the broker is away doesn't count.
    /// </summary>
    [Range(5, 3600)]
    public int ReattachSeconds { get; set; } = 60;

    /// <summary>
    /// Tokens of an output between two checkpoints, from which the job goes on if its worker is lost; 0 for none. What is handed back on
    /// SIGTERM is saved in any case.
    /// </summary>
    [Range(0, 1 << 20)]
    public int CheckpointTokens { get; set; } = 256;

    /// <summary>How often a job is tried again within a worker when the engine fails, later and later.</summary>
    [Range(0, 10)]
    public int EngineRetries { get; set; } = 2;

    /// <summary>On SIGTERM, time for running jobs to end before they are suspended and handed back, in seconds.</summary>
    [Range(0, 3600)]
    public int DrainSeconds { get; set; } = 30;

    /// <summary>
    /// Largest event that carries its outputs, in bytes of JSON; of a larger one texts and series of tokens are left in the database, and
    /// the event says where.
    /// </summary>
    [Range(1024, 100 << 20)]
    public int MaxEventTextBytes { get; set; } = 256 << 10;

    /// <summary>Largest message that is read as a job, in bytes; a larger one is refused.</summary>
    [Range(1024, 128 << 20)]
    public int MaxJobBytes { get; set; } = 4 << 20;

    /// <summary>Whether requests are stored with prompt and messages; otherwise without, and only the hash tells what they were.</summary>
    public bool StorePrompts { get; set; } = true;

    /// <summary>
    /// Whether texts, token ids and log-probabilities stay in the database; otherwise only until the broker has confirmed the event that
    /// carries them, which then carries the text whatever its size.
    /// </summary>
    public bool StoreOutputs { get; set; } = true;

    /// <summary>Port of /health/live, /health/ready and /metrics; 0 for none.</summary>
    [Range(0, 65535)]
    public int HealthPort { get; set; } = 8080;
}
