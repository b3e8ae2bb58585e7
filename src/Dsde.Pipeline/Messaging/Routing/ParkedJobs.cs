using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Dsde.Contracts;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging.Taking;
using Dsde.Pipeline.Telemetry;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging.Routing;

/// <summary>
/// Jobs for models that no worker has ever served. A worker that starts takes those of its models out; so does the router that has parked
/// one while the queue of its model was just being made. The broker ends their waiting.
/// </summary>
/// <remarks>
/// To find the jobs of a model all messages are taken, and those of other models go back in their order when the looking ends, untouched,
/// their time running on.
/// </remarks>
internal sealed class ParkedJobs : BackgroundService
{
    /// <summary>The queues that may have been made meanwhile are looked at as often.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Of names that strangers make up, no more than these are kept in mind. What is beyond waits to its end at worst.</summary>
    private const int MostNames = 100;

    /// <summary>A queue that is younger may be forgotten with all that is in it, if its broker is killed (see the topology).</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, byte> _due;
    private readonly Dictionary<string, DateTimeOffset> _seen = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte> _known = new(StringComparer.Ordinal);
    private readonly Counter<long> _routed;
    private readonly ConfirmingPublisher _publisher;
    private readonly TimeProvider _time;
    private readonly ILogger<ParkedJobs> _logger;
    private volatile int _count;

    public ParkedJobs(
        ConfirmingPublisher publisher,
        WorkerOptions options,
        IMeterFactory meters,
        TimeProvider time,
        ILogger<ParkedJobs> logger
    )
    {
        (_publisher, _time, _logger) = (publisher, time, logger);
        _due = new ConcurrentDictionary<string, byte>(
            options.Models.Select(model => KeyValuePair.Create(model, (byte)0)),
            StringComparer.Ordinal
        );
        var meter = meters.Create(PipelineMeter.Name);
        _routed = meter.CreateCounter<long>("dsde.jobs.routed", "{job}", "Jobs sent on by their bodies, by where they went.");
        meter.CreateObservableGauge(
            "dsde.jobs.parked",
            () => _count,
            "{job}",
            "Jobs for models that no worker has served, of all workers together."
        );
    }

    /// <summary>How many there are, as of the last look.</summary>
    public int Count => _count;

    /// <summary>The models that they are for, as far as this worker has met them.</summary>
    public IEnumerable<string> Models => _count == 0 ? [] : _known.Keys.Order(StringComparer.Ordinal);

    /// <summary>A job went to the queue of its model.</summary>
    public void NoteRouted() => _routed.Add(1, new KeyValuePair<string, object?>("to", "model"));

    /// <summary>A job was parked here.</summary>
    public void NoteParked(string model)
    {
        _routed.Add(1, new KeyValuePair<string, object?>("to", "parked"));
        if (_known.Count < MostNames && _known.TryAdd(model, 0))
        {
            _logger.JobsParked(model);
        }

        if (_due.Count < MostNames)
        {
            _due[model] = 0;
        }
    }

    /// <summary>Counts them, and takes out those whose queues have been made.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var reader = new QueueReader(await _publisher.ConnectAsync(cancellationToken));
        _count = (int)await reader.CountAsync(QueueNames.ParkedGenerationJobs, cancellationToken);
        var due = _due.Keys.ToList();
        due.ForEach(model => _due.TryRemove(model, out _)); // before looking: one that is parked meanwhile is due again
        if (_count == 0)
        {
            _known.Clear();
            return;
        }

        try
        {
            var served = await FindServedAsync(reader, due, cancellationToken);
            foreach (var young in served.Where(model => !HasSettled(model)).ToList())
            {
                served.Remove(young);
                _due[young] = 0;
            }

            if (served.Count > 0)
            {
                await TakeOutAsync(reader, served, cancellationToken);
            }
        }
        catch
        {
            due.ForEach(model => _due.TryAdd(model, 0));
            throw;
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is ExpectedFailureException || BrokerFailure.IsOne(exception))
            {
                // Whoever watches the broker says that it is away.
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                _logger.ParkedJobsNotLookedAt(exception); // the next time may go better, and without this loop they would wait to the end
            }
        }
    }

    private bool HasSettled(string model)
    {
        var now = _time.GetUtcNow();
        if (_seen.Count >= MostNames && !_seen.ContainsKey(model))
        {
            _seen.Clear();
        }

        _seen.TryAdd(model, now);
        return now - _seen[model] >= Settling;
    }

    private static async Task<HashSet<string>> FindServedAsync(
        QueueReader reader,
        IEnumerable<string> models,
        CancellationToken cancellationToken
    )
    {
        var served = new HashSet<string>(StringComparer.Ordinal);
        foreach (var model in models)
        {
            if (await reader.FindAsync(Lane.AllOf(model)[0].Queue, cancellationToken) is not null)
            {
                served.Add(model);
            }
        }

        return served;
    }

    private async Task TakeOutAsync(QueueReader reader, HashSet<string> models, CancellationToken cancellationToken)
    {
        var (taken, met) = (0, new HashSet<string>(StringComparer.Ordinal));
        await foreach (var message in reader.TakeAsync(QueueNames.ParkedGenerationJobs, uint.MaxValue, cancellationToken))
        {
            if (Parking.FindLane(message.Properties) is not { } lane)
            {
                continue;
            }

            if (
                models.Contains(lane.Model)
                && await _publisher.TryPublishAsync(
                    exchange: "",
                    lane.Queue,
                    Parking.Leave(message.Properties),
                    message.Body,
                    cancellationToken
                )
            )
            {
                await message.AcknowledgeAsync(cancellationToken);
                taken++;
            }
            else
            {
                met.Add(lane.Model);
            }
        }

        foreach (var model in _known.Keys.Except(met).ToList())
        {
            _known.TryRemove(model, out _);
        }

        foreach (var model in met.Take(MostNames))
        {
            _known.TryAdd(model, 0);
        }

        if (taken > 0)
        {
            _logger.ParkedJobsTakenOut(taken, string.Join(", ", models));
        }
    }
}
