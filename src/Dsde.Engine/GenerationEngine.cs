using System.Threading.Channels;
using Dsde.Engine.Batching;
using Dsde.Engine.Loading;
using Dsde.Engine.Sampling;
using Dsde.Engine.Sequences;
using Dsde.Engine.Tokenization;
using Dsde.Speculation;
using Dsde.Speculation.Guarding;
using Microsoft.Extensions.Logging;
using TorchSharp;

namespace Dsde.Engine;

/// <summary>
/// The Dynamic Speculative Decoding Engine: continuous batching of draft–verify–accept iterations on one thread of its own.
/// </summary>
public sealed class GenerationEngine : IGenerationEngine
{
    private readonly Channel<Sequence> _arrivals = Channel.CreateUnbounded<Sequence>(new UnboundedChannelOptions { SingleReader = true });
    private readonly EngineCounters _counters;
    private readonly PolicyRegistry _policies;
    private readonly ModelTokenizer _tokenizer;
    private readonly IReadOnlySet<int> _endTokens;
    private readonly TokenGrammars _grammars;
    private readonly TimeProvider _time;
    private readonly SamplingMode _defaultMode;
    private readonly Proposer _defaultProposer;
    private readonly EngineThread _thread;

    private GenerationEngine(
        LoadedModels models,
        ComputeSettings compute,
        PolicyConfiguration policy,
        EngineOptions options,
        TimeProvider time,
        ILogger logger
    )
    {
        _time = time;
        _counters = new EngineCounters(time);
        _tokenizer = models.Tokenizer;
        _endTokens = models.Tokenizer.EndTokenIds.ToHashSet();
        _grammars = new TokenGrammars(() =>
            [.. Enumerable.Range(0, models.Target.VocabularySize).Select(id => models.Tokenizer.TextBytesOf(id).ToArray())]
        );
        _defaultMode = options.DefaultMode;
        _defaultProposer = options.DefaultProposer;
        _policies = new PolicyRegistry(policy, options.MaxSpeculationLength);
        PromptEncoder = new PromptEncoder(models.Tokenizer, time);
        Description = new EngineDescription(
            models.Folder.Name,
            models.Draft is null ? null : new DirectoryInfo(options.Draft ?? "").Name,
            models.MaxLength,
            models.Target.VocabularySize,
            compute.TypeName,
            compute.DeviceName,
            models.BatchSize,
            policy.ToString()
        )
        {
            DefaultProposer = options.DefaultProposer,
            Threads = torch.get_num_threads(),
            Kernels = compute.Kernels?.Description,
            Warnings = models.Warnings,
            Defaults = models.Defaults,
        };
        Models = models;
        var guard = new CostGuard();
        _thread = new EngineThread(
            DecodingLoop.Create(models, options, compute.Device, _arrivals.Reader, _counters, guard, time),
            _arrivals,
            () =>
            {
                guard.Profile = FindProfile(models, options, compute, time, logger);
                Description = Description with { Costs = guard.Profile?.ToCosts() };
            },
            models.Dispose,
            logger
        );
    }

    /// <inheritdoc/>
    public EngineDescription Description { get; private set; } // whole once the thread is prepared, which loading waits for

    /// <summary>What the engine's thread works with; for tests.</summary>
    internal LoadedModels Models { get; }

    /// <inheritdoc/>
    public IPromptEncoder PromptEncoder { get; }

    /// <summary>Loads the models and starts the engine's thread. Blocks for as long as that takes: seconds for a small model.</summary>
    /// <param name="options">What to load and how to run it.</param>
    /// <param name="time">For telemetry.</param>
    /// <param name="loggers">For start and failures.</param>
    /// <exception cref="ModelLoadException">A model folder, the device or an option does not do; the message says why and what
    /// would.</exception>
    public static GenerationEngine Load(EngineOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(loggers);
        var logger = loggers.CreateLogger<GenerationEngine>();
        var start = time.GetTimestamp();
        var policy = ReadPolicy(options);
        var compute = ComputeSettings.Choose(options);
        ThreadSettings.Apply(options, compute.Device);
        using var mode = torch.inference_mode();
        var models = LoadedModels.Load(options, compute);
        var engine = new GenerationEngine(models, compute, policy, options, time, logger);
        engine._thread.Prepared.GetAwaiter().GetResult();
        logger.ModelsLoaded(
            engine.Description.Target,
            engine.Description.Draft ?? "none",
            compute.TypeName,
            engine.Description.Device,
            time.GetElapsedTime(start).TotalMilliseconds
        );
        if (engine.Description.Kernels is { } kernels)
        {
            logger.KernelsChosen(kernels);
        }

        logger.DefaultsRead(engine.Description.Defaults);
        foreach (var warning in engine.Description.Warnings)
        {
            logger.OddModel(warning);
        }

        return engine;
    }

    /// <inheritdoc/>
    public CancellationToken BrokenDown => _thread.Broken;

    /// <inheritdoc/>
    public EngineSnapshot GetSnapshot() => _counters.Read();

    /// <inheritdoc/>
    public async Task<GenerationResult> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequestCheck.Require(request, Description);
        cancellationToken.ThrowIfCancellationRequested();
        request = request with
        {
            Proposer = request.Proposer ?? _defaultProposer,
            Sampling = request.Sampling with
            {
                Mode = request.Sampling.Mode ?? _defaultMode,
                Temperature = request.Sampling.IsGreedy ? 0 : request.Sampling.Temperature,
            },
        };
        var sequence = new Sequence(
            request,
            _policies.Find(request.Policy),
            _tokenizer.CreateAssembler(request.StopStrings),
            _endTokens,
            Description.ContextLength,
            _time,
            cancellationToken,
            request.Grammar is { } grammar ? _grammars.Find(grammar, _endTokens.Union(request.StopTokenIds)) : null
        );
        sequence.ReportProgress();
        _counters.AddArrival(); // first: a round that ends before this were followed by work that nobody does
        if (!_arrivals.Writer.TryWrite(sequence))
        {
            throw _thread.Failure ?? (Exception)new OperationCanceledException("The engine has been shut down.");
        }

        // A request that still waits for a slot answers at once; one that runs leaves the batch before the next iteration.
        await using var cancellation = cancellationToken.Register(() => sequence.Completion.TrySetCanceled(cancellationToken));
        await using var breakdown = _thread.Broken.Register(() =>
            sequence.Completion.TrySetException(_thread.Failure ?? new EngineFailureException("The engine has broken down."))
        );
        return await sequence.Completion.Task.ConfigureAwait(false);
    }

    /// <summary>Ends what runs or waits as cancelled, then the thread, and frees the models.</summary>
    public async ValueTask DisposeAsync()
    {
        _arrivals.Writer.TryComplete(); // first, so that nothing can arrive once the thread has looked for the last time
        _thread.Stop();
        await _thread.Ended.ConfigureAwait(false);
    }

    /// <summary>What iterations cost; null where nobody is to ask, or it can't be found out: then speculation is not guarded.</summary>
    private static CostProfile? FindProfile(
        LoadedModels models,
        EngineOptions options,
        ComputeSettings compute,
        TimeProvider time,
        ILogger logger
    )
    {
        if (!options.CostGuard || (models.Draft is null && options.DefaultProposer != Proposer.Lookup))
        {
            return null;
        }

        try
        {
            var start = time.GetTimestamp();
            using var iterations = new ProfiledIterations(models, options, compute.Device, time);
            var profiler = new CostProfiler(
                iterations.MostSequences,
                options.MaxSpeculationLength,
                hasDraft: models.Draft is not null,
                iterations.Measure,
                time
            );
            var profile = profiler.Run(TimeSpan.FromSeconds(options.ProfileSeconds));
            if (profile is not null)
            {
                logger.Profiled(profile.ToString(), time.GetElapsedTime(start).TotalMilliseconds);
            }

            return profile;
        }
        catch (Exception exception)
        {
            logger.ProfileFailed(exception);
            return null;
        }
    }

    private static PolicyConfiguration ReadPolicy(EngineOptions options)
    {
        try
        {
            var policy = PolicyConfiguration.Parse(options.Policy);
            var canPropose =
                !string.IsNullOrEmpty(options.Draft)
                || options.DefaultProposer == Proposer.Lookup
                || policy.Kind == PolicyKind.Autoregressive;
            return canPropose
                ? policy
                : throw new ModelLoadException(
                    $"Policy {policy} with proposer {options.Proposer} needs a draft model. Name one "
                        + $"({EngineOptions.SectionName}:{nameof(EngineOptions.Draft)}), or use proposer lookup or policy autoregressive."
                );
        }
        catch (FormatException exception)
        {
            throw new ModelLoadException(
                $"{EngineOptions.SectionName}:{nameof(EngineOptions.Policy)} or {nameof(EngineOptions.Proposer)}: {exception.Message}",
                exception
            );
        }
    }
}
