using System.Threading.Channels;
using Dsde.Engine.Batching;
using Dsde.Engine.Loading;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Sampling;
using Dsde.Engine.Sequences;
using Dsde.Speculation;
using Dsde.Speculation.Guarding;
using Microsoft.Extensions.Time.Testing;
using TorchSharp;

namespace Dsde.Engine.Tests.Batching;

/// <summary>
/// The engine's loop without its thread: tests decide when a round happens and what time it is, and see every pass. At its end it asserts
/// that memory is accounted for and that no tensor was left behind. For tests that do not await.
/// </summary>
internal sealed class LoopUnderTest : IDisposable
{
    private readonly IDisposable _mode = torch.inference_mode();
    private readonly Channel<Sequence> _arrivals = Channel.CreateUnbounded<Sequence>();
    private readonly EngineCounters _counters;
    private readonly PolicyRegistry _policies;
    private readonly LoadedModels _models;
    private readonly TokenGrammars _grammars;
    private readonly DecodingLoop _loop;
    private readonly long _tensors;

    public LoopUnderTest(
        string target,
        string? draft,
        int batchSize = 4,
        int budget = 512,
        string policy = "dsde",
        Action<EngineOptions>? change = null
    )
    {
        var options = new EngineOptions
        {
            Target = target,
            Draft = draft,
            BatchSize = batchSize,
            PrefillTokenBudget = budget,
            DataType = "fp32",
            Device = "cpu",
            Policy = policy,
        };
        change?.Invoke(options);
        _counters = new EngineCounters(Time);
        _policies = new PolicyRegistry(PolicyConfiguration.Parse(options.Policy), options.MaxSpeculationLength);
        _models = LoadedModels.Load(options, ComputeSettings.Choose(options));
        _grammars = new TokenGrammars(() =>
            [.. Enumerable.Range(0, _models.Target.VocabularySize).Select(id => _models.Tokenizer.TextBytesOf(id).ToArray())]
        );
        _loop = DecodingLoop.Create(_models, options, torch.CPU, _arrivals.Reader, _counters, Guard, Time);
        _tensors = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        _models.Target.BeforePass = rows => Passes.Add(("target", rows.Spans));
        if (_models.Draft is { } draftModel)
        {
            draftModel.BeforePass = rows => Passes.Add(("draft", rows.Spans));
        }
    }

    /// <summary>Without a profile it allows everything; the clock stands still, so that it learns nothing about time.</summary>
    public CostGuard Guard { get; } = new();

    public FakeTimeProvider Time { get; } = new();

    /// <summary>Every pass so far: whose, and the rows.</summary>
    public List<(string Model, IReadOnlyList<RowSpan> Rows)> Passes { get; } = [];

    public EngineSnapshot Snapshot => _counters.Read();

    public CachedDecoder Target => _models.Target;

    public CachedDecoder Draft => _models.Draft ?? throw new InvalidOperationException("There is no draft.");

    public int RowsOf(string model) => Passes.Where(pass => pass.Model == model).Sum(pass => pass.Rows.Sum(span => span.Count));

    public Sequence Add(GenerationRequest request, ISpeculationPolicy? policy = null, CancellationToken cancellation = default)
    {
        var sequence = new Sequence(
            request,
            policy ?? _policies.Find(request.Policy),
            _models.Tokenizer.CreateAssembler(request.StopStrings),
            new HashSet<int>(),
            _models.MaxLength,
            Time,
            cancellation,
            request.Grammar is { } grammar ? _grammars.Find(grammar, request.StopTokenIds) : null
        );
        _arrivals.Writer.TryWrite(sequence).ShouldBeTrue();
        return sequence;
    }

    /// <summary>One round, with what the engine's thread does when it fails.</summary>
    public void Step()
    {
        try
        {
            _loop.Step();
        }
        catch (Exception exception)
        {
            _loop.Retreat(exception);
        }

        _loop.CheckIntegrity();
    }

    public GenerationResult[] RunToEnd(params Sequence[] sequences)
    {
        for (var rounds = 0; rounds == 0 || !_loop.IsIdle; rounds++)
        {
            rounds.ShouldBeLessThan(10_000, "The loop does not come to an end.");
            Step();
        }

        return [.. sequences.Select(ResultOf)];
    }

    /// <summary>The result of a sequence that has ended.</summary>
    public static GenerationResult ResultOf(Sequence sequence)
    {
        sequence.Completion.Task.IsCompletedSuccessfully.ShouldBeTrue();
        return sequence.Completion.Task.GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        _loop.CheckIntegrity();
        DisposeScopeManager.Statistics.ThreadTotalLiveCount.ShouldBe(_tensors, "A tensor was left behind.");
        _models.Dispose();
        _mode.Dispose();
    }
}
