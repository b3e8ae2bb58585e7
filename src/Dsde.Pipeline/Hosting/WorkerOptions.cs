using System.ComponentModel.DataAnnotations;
using System.Net;
using Dsde.Contracts;
using Dsde.Persistence.Jobs;

namespace Dsde.Pipeline.Hosting;

/// <summary>How the worker takes and treats jobs.</summary>
internal sealed class WorkerOptions : IValidatableObject
{
    public const string SectionName = "Dsde:Worker";

    /// <summary>Value of <see cref="HealthPort"/> for <see cref="FirstHealthPort"/> or the next one that is free.</summary>
    public const string AnyPort = "auto";

    /// <summary>Value of <see cref="HealthPort"/> for no HTTP at all.</summary>
    public const string NoPort = "none";

    /// <summary>Where looking for a free port begins.</summary>
    public const int FirstHealthPort = 8080;

    /// <summary>
    /// Aliases under which jobs may ask for the target. Each has queues of its own, which this worker consumes, and no others; workers that
    /// share an alias have to serve the same model (docs/operations.md#models).
    /// </summary>
    /// <value>
    /// At least one, each once: 1 to 128 ASCII letters, digits, <c>.</c>, <c>_</c>, <c>:</c> and <c>-</c>. The default is <c>dsde-demo</c>
    /// alone; what is set replaces it.
    /// </value>
    public string[] Models { get; set; } = ["dsde-demo"];

    /// <summary>
    /// The model of jobs that name none, and come without a routing key that does. Any worker may route such a job: all need the same.
    /// </summary>
    /// <value>An alias, of this worker or others, or empty. The default is empty: such jobs are refused.</value>
    public string DefaultModel { get; set; } = "";

    /// <summary>How long a job waits for a worker of a model that none has ever served, before it fails as
    /// <c>model_not_found</c>.</summary>
    /// <value>Seconds, 1 to 2592000. The default is 600.</value>
    [Range(1, 2_592_000)]
    public int ModelWaitSeconds { get; set; } = 600;

    /// <summary>Who this worker is in the database. Unique among living workers.</summary>
    /// <value>A name, or empty. The default is empty: the machine's name and a random part.</value>
    public string WorkerId { get; set; } = "";

    /// <summary>Jobs taken from the queue beyond what the engine runs at once, so that a free slot need not wait for the broker.</summary>
    /// <value>Jobs per lane of each alias, 0 to 1000. The default is 2.</value>
    [Range(0, 1000)]
    public int PrefetchMargin { get; set; } = 2;

    /// <summary>How long a claim on a job holds; it is renewed three times in that time while the worker lives.</summary>
    /// <value>Seconds, 5 to 3600. The default is 15.</value>
    [Range(5, 3600)]
    public int LeaseSeconds { get; set; } = 15;

    /// <summary>
    /// Lost starts of a job (its worker died, or was taken for dead) after which fewer run beside it: half as many as the engine takes, and
    /// half of that after every further one, until it runs alone. A checkpoint that got further makes the count begin anew.
    /// </summary>
    /// <value>Starts, 1 to 100. The default is 3.</value>
    [Range(1, 100)]
    public int LostStartsBeforeNarrowing { get; set; } = 3;

    /// <summary>
    /// Starts of a job that were lost while it ran alone, after which it is given up as <c>worker_lost</c>: only these count against it,
    /// because a worker that dies with many jobs dies of one of them at most.
    /// </summary>
    /// <value>Starts, 1 to 100. The default is 3.</value>
    [Range(1, 100)]
    public int LostStartsAlone { get; set; } = 3;

    /// <summary>
    /// Time for an endpoint that has lost its consumer in the broker to come back by itself before it is restarted; time in which the
    /// broker is away doesn't count, and after that it is restarted soon.
    /// </summary>
    /// <value>Seconds, 5 to 3600. The default is 60.</value>
    [Range(5, 3600)]
    public int ReattachSeconds { get; set; } = 60;

    /// <summary>
    /// Tokens of an output between two checkpoints, from which the job goes on if its worker is lost. What is handed back on SIGTERM is
    /// saved in any case.
    /// </summary>
    /// <value>Tokens, 0 (no checkpoints) to 1048576. The default is 256.</value>
    [Range(0, 1 << 20)]
    public int CheckpointTokens { get; set; } = 256;

    /// <summary>
    /// How often a job is tried again within a worker when the engine fails on it: after half a second, one, two and so on (with jitter, at
    /// most 30 s), each time from the latest checkpoint.
    /// </summary>
    /// <value>Retries, 0 to 10. The default is 2.</value>
    [Range(0, 10)]
    public int EngineRetries { get; set; } = 2;

    /// <summary>
    /// How long the engine may have work without getting on before it is taken to hang, or eight times its longest step so far if that is
    /// more: <c>/health/live</c> fails then, its jobs are left to others, and the worker ends.
    /// </summary>
    /// <value>Seconds, 5 to 3600. The default is 120.</value>
    [Range(5, 3600)]
    public int EngineStallSeconds { get; set; } = 120;

    /// <summary>On SIGTERM, time for running jobs to end before they are suspended and handed back.</summary>
    /// <value>Seconds, 0 to 3600. The default is 30.</value>
    [Range(0, 3600)]
    public int DrainSeconds { get; set; } = 30;

    /// <summary>
    /// Largest event that carries its outputs; of a larger one (or one that the broker refuses for its size) texts and series of tokens are
    /// left in the database, and the event says where.
    /// </summary>
    /// <value>Bytes of JSON, 1024 to 104857600. The default is 262144.</value>
    [Range(1024, 100 << 20)]
    public int MaxEventBytes { get; set; } = 256 << 10;

    /// <summary>Largest message that is read as a job; a larger one is refused.</summary>
    /// <value>Bytes, 1024 to 134217728. The default is 4194304.</value>
    [Range(1024, 128 << 20)]
    public int MaxJobBytes { get; set; } = 4 << 20;

    /// <summary>
    /// Whether requests are stored with prompt, messages, tools, documents and variables of the chat template; otherwise without, and only
    /// their SHA-256 tells what they were.
    /// </summary>
    /// <value>The default is true.</value>
    public bool StorePrompts { get; set; } = true;

    /// <summary>
    /// Whether texts, token ids and log-probabilities stay in the database; otherwise only until the broker has confirmed the event that
    /// carries them, which then carries the text whatever its size, up to what the broker takes.
    /// </summary>
    /// <value>The default is true.</value>
    public bool StoreOutputs { get; set; } = true;

    /// <summary>How much of each output's telemetry is stored (docs/telemetry.md#levels).</summary>
    /// <value>
    /// <c>summary</c> (counts, means, times), <c>iterations</c> (what happened in each), <c>tokens</c> (what was measured at each token) or
    /// <c>replay</c> (a survey of the output), each with all of those before. The default is <c>tokens</c>. At <c>replay</c> every output
    /// is
    /// worked through twice (docs/analytics.md#surveys).
    /// </value>
    [RegularExpression("summary|iterations|tokens|replay", ErrorMessage = "give summary, iterations, tokens or replay.")]
    public string TelemetryLevel { get; set; } = TraceLevel.Tokens;

    /// <summary>Share of the jobs that are stored at level <c>replay</c>, whatever the level of the others; chosen by their ids.</summary>
    /// <value>0 to 1. The default is 0.</value>
    [Range(0d, 1d)]
    public double ReplaySampling { get; set; }

    /// <summary>Workloads (<c>metadata.workload</c>) that metrics tell apart; all others count as one.</summary>
    /// <value>Names, up to 50. The default is empty: what jobs say of themselves is not in metrics.</value>
    [MaxLength(50)]
    public string[] MetricWorkloads { get; set; } = [];

    /// <summary>
    /// Whether there is a page at <c>/status</c>, beside health and metrics, that shows what the worker does: the jobs that run (by id,
    /// never
    /// their texts), speculation lengths and acceptance, throughput, queues, memory for keys and values, health. Nobody is asked who he is:
    /// where <see cref="HealthAddress"/> is not the machine's own, everybody who reaches it sees the page.
    /// </summary>
    /// <value>
    /// <c>true</c>, <c>false</c> or <c>auto</c>: only in development (<c>DOTNET_ENVIRONMENT=Development</c>) and where
    /// <see cref="HealthAddress"/> can be reached from this machine alone. The default is <c>auto</c>.
    /// </value>
    [RegularExpression("(?i:auto|true|false)", ErrorMessage = "give auto, true or false.")]
    public string StatusPage { get; set; } = "auto";

    /// <summary>Port of <c>/health/live</c>, <c>/health/ready</c>, <c>/metrics</c> and <c>/status</c>.</summary>
    /// <value>
    /// A port, 1 to 65535, which has to be free; <c>auto</c> for 8080, or the next free one of the hundred that follow, which is logged; or
    /// <c>none</c>. The default is <c>auto</c>.
    /// </value>
    public string HealthPort { get; set; } = AnyPort;

    /// <summary>Address to listen at for health, metrics and the status page.</summary>
    /// <value>An IP address; 0.0.0.0 for all of the machine. The default is 127.0.0.1.</value>
    public string HealthAddress { get; set; } = "127.0.0.1";

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (HealthPort is not (AnyPort or NoPort) && !(ushort.TryParse(HealthPort, out var port) && port > 0))
        {
            yield return new ValidationResult($"give a port from 1 to 65535, {AnyPort} or {NoPort}.", [nameof(HealthPort)]);
        }

        if (Models.Length == 0)
        {
            yield return new ValidationResult("give at least one alias.", [nameof(Models)]);
        }

        for (var index = 0; index < Models.Length; index++)
        {
            if (!ModelAlias.IsValid(Models[index]))
            {
                yield return new ValidationResult($"give {ModelAlias.Allowed}.", [$"{nameof(Models)}:{index}"]);
            }
            else if (Array.IndexOf(Models, Models[index]) < index)
            {
                yield return new ValidationResult("give each alias once.", [$"{nameof(Models)}:{index}"]);
            }
        }

        if (DefaultModel.Length > 0 && !ModelAlias.IsValid(DefaultModel))
        {
            yield return new ValidationResult($"give {ModelAlias.Allowed}.", [nameof(DefaultModel)]);
        }

        if (HealthPort == NoPort && bool.TryParse(StatusPage, out var isWanted) && isWanted)
        {
            yield return new ValidationResult(
                $"{nameof(HealthPort)} is {NoPort}, so that there is nothing to serve it: give auto or false, or a port.",
                [nameof(StatusPage)]
            );
        }

        if (!IPAddress.TryParse(HealthAddress, out _))
        {
            yield return new ValidationResult("give an IP address of this machine, or 0.0.0.0 for all of them.", [nameof(HealthAddress)]);
        }
    }
}
