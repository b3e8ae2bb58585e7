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

    /// <summary>
    /// After so many looks the models of this worker are looked for again: at first somebody else may have held their jobs, who looked
    /// through them all at that moment.
    /// </summary>
    private static readonly int[] OwnLooks = [1, 10, 60];

    private readonly IReadOnlyCollection<string> _own;
    private readonly ConcurrentDictionary<string, byte> _due = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte> _known = new(StringComparer.Ordinal);
    private readonly Counter<long> _routed;
    private readonly ConfirmingPublisher _publisher;
    private readonly SettledQueues _queues;
    private readonly TimeProvider _time;
    private readonly ILogger<ParkedJobs> _logger;
    private volatile int _count;

    public ParkedJobs(
        ConfirmingPublisher publisher,
        SettledQueues queues,
        WorkerOptions options,
        IMeterFactory meters,
        TimeProvider time,
        ILogger<ParkedJobs> logger
    )
    {
        (_publisher, _queues, _time, _logger) = (publisher, queues, time, logger);
        _own = [.. options.Models];
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
            var served = await FindServedAsync(due, cancellationToken);
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
        for (var looks = 1; await timer.WaitForNextTickAsync(stoppingToken); looks++)
        {
            foreach (var model in OwnLooks.Contains(looks) ? _own : [])
            {
                _due[model] = 0;
            }

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

    /// <summary>The models to whose queues jobs can go. Whose queues are too young is due again.</summary>
    private async Task<HashSet<string>> FindServedAsync(IEnumerable<string> models, CancellationToken cancellationToken)
    {
        var served = new HashSet<string>(StringComparer.Ordinal);
        foreach (var model in models)
        {
            switch (await _queues.FindRestAsync(BulkQueueOf(model), cancellationToken))
            {
                case null:
                    break;
                case { Ticks: 0 }:
                    served.Add(model);
                    break;
                default:
                    _due[model] = 0;
                    break;
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

            if (!models.Contains(lane.Model))
            {
                met.Add(lane.Model);
            }
            else if (await TryPublishAsync(message, lane, cancellationToken))
            {
                await message.AcknowledgeAsync(cancellationToken);
                taken++;
            }
            else
            {
                _queues.Forget(BulkQueueOf(lane.Model));
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

    /// <summary>The one that stands for all queues of a model: they are made together.</summary>
    private static string BulkQueueOf(string model) => Lane.AllOf(model)[0].Queue;

    private Task<bool> TryPublishAsync(TakenMessage message, Lane lane, CancellationToken cancellationToken) =>
        _publisher.TryPublishAsync(exchange: "", lane.Queue, Parking.Leave(message.Properties), message.Body, cancellationToken);
}
