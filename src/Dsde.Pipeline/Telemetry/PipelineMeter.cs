using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Dsde.Pipeline.Telemetry;

/// <summary>
/// What is counted where it happens: deliveries, publications, retries, lost claims. Names, units and attributes are OpenTelemetry's where
/// it
/// has some (messaging); docs/operations.md lists all.
/// </summary>
internal static class PipelineMeter
{
    public const string Name = "Dsde.Worker";

    private static readonly Meter Meter = new(Name);

    private static readonly Counter<long> Deliveries = Meter.CreateCounter<long>(
        "messaging.client.consumed.messages",
        "{message}",
        "Jobs delivered by the broker, by queue."
    );

    private static readonly Counter<long> RepeatedDeliveries = Meter.CreateCounter<long>(
        "dsde.redeliveries",
        "{message}",
        "Jobs delivered again by the broker, by queue."
    );

    private static readonly Histogram<double> Processing = Meter.CreateHistogram<double>(
        "messaging.process.duration",
        "s",
        "Time from the delivery of a job to its acknowledgement, by queue."
    );

    private static readonly Histogram<double> Publishing = Meter.CreateHistogram<double>(
        "messaging.client.operation.duration",
        "s",
        "Time until the broker has confirmed an event."
    );

    private static readonly Counter<long> Retries = Meter.CreateCounter<long>(
        "dsde.engine.retries",
        "{retry}",
        "Outputs that the engine failed on and that were tried again."
    );

    private static readonly Counter<long> LostLeases = Meter.CreateCounter<long>(
        "dsde.leases.lost",
        "{lease}",
        "Claims on jobs that were lost while this worker worked on them."
    );

    /// <summary>Shows what has not happened yet as zero, so that the first time is an increase.</summary>
    public static void BeginAtZero()
    {
        Retries.Add(0);
        LostLeases.Add(0);
    }

    /// <summary>Counts a delivery now, and its time when what this returns is disposed of.</summary>
    /// <param name="queue">Where it came from.</param>
    /// <param name="isRepeated">Whether the broker has delivered it before.</param>
    public static Measurement StartProcessing(string queue, bool isRepeated)
    {
        var tags = new TagList { { "messaging.system", "rabbitmq" }, { "messaging.destination.name", queue } };
        Deliveries.Add(1, tags);
        RepeatedDeliveries.Add(isRepeated ? 1 : 0, tags);
        return new Measurement(Processing, tags);
    }

    /// <summary>Notes the time of a publication when what this returns is disposed of.</summary>
    /// <param name="exchange">Where to.</param>
    public static Measurement StartPublishing(string exchange) =>
        new(
            Publishing,
            new TagList
            {
                { "messaging.system", "rabbitmq" },
                { "messaging.operation.name", "publish" },
                { "messaging.destination.name", exchange },
            }
        );

    /// <summary>Counts a try of the engine after one that failed.</summary>
    public static void AddRetry() => Retries.Add(1);

    /// <summary>Counts a claim that was lost.</summary>
    public static void AddLostLease() => LostLeases.Add(1);

    /// <summary>A time that runs until it is disposed of.</summary>
    public readonly struct Measurement(Histogram<double> histogram, TagList tags) : IDisposable
    {
        private readonly long _start = Stopwatch.GetTimestamp();

        /// <inheritdoc/>
        public void Dispose() => histogram.Record(Stopwatch.GetElapsedTime(_start).TotalSeconds, tags);
    }
}
