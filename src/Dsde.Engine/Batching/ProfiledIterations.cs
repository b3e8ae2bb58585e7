using Dsde.Engine.Iteration;
using Dsde.Engine.Kv;
using Dsde.Engine.Loading;
using Dsde.Engine.Prefill;
using Dsde.Engine.Sampling;
using Dsde.Engine.Sequences;
using Dsde.Speculation;
using Dsde.Speculation.Guarding;
using static TorchSharp.torch;

namespace Dsde.Engine.Batching;

/// <summary>
/// Iterations as jobs have them, on sequences of no meaning, half of them greedy: what they cost is what is wanted of them. They use the
/// engine's caches, which are empty again when it is disposed of. To be used on the engine's thread, before there is work.
/// </summary>
internal sealed class ProfiledIterations : IDisposable
{
    private const int PromptLength = 33; // long enough for all sequences but the first to share it
    private const int MostTokens = 64; // then a sequence is begun anew: what is measured should not touch memory that jobs may never need
    private const int BlocksPerSequence = 4; // for a prompt, a step and some growth, where memory is short
    private readonly LoadedModels _models;
    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly RunningBatch _batch;
    private readonly PrefillStep _prefill;
    private readonly SpeculativeStep _step;
    private readonly StaticPolicy _policy;

    public ProfiledIterations(LoadedModels models, EngineOptions options, Device device, TimeProvider time)
    {
        (_models, _options, _time) = (models, options, time);
        var caches = new CachePair(models.Target.Cache, models.Draft?.Cache);
        _batch = new RunningBatch(caches, new KvRoom(caches, options.MaxSpeculationLength, options.PrefillTokenBudget), new CostGuard());
        _prefill = new PrefillStep(models.Target, models.Draft, new PrefillPlanner(caches, options.PrefillTokenBudget), device, time);
        _step = new SpeculativeStep(models.Target, models.Draft, new WorkloadAcceptance(), options.MaxSpeculationLength, device, time)
        {
            TimesPasses = true,
        };
        _policy = new StaticPolicy("profile", options.MaxSpeculationLength);
    }

    /// <summary>Most sequences of an iteration: the batch, or as many as the memory for keys and values holds of these.</summary>
    public int MostSequences => Math.Clamp(_models.Target.Cache.BlockCount / BlocksPerSequence, 1, _models.BatchSize);

    /// <summary>Makes an iteration.</summary>
    /// <param name="lengths">Tokens to propose, in descending order.</param>
    /// <param name="kind">Who proposes them; for lookup something is found, though there is nothing to be found.</param>
    /// <exception cref="EngineFailureException">The models can't work on it.</exception>
    public IterationTiming Measure(int[] lengths, IterationKind kind)
    {
        for (var i = _batch.Sequences.Count - 1; i >= 0; i--)
        {
            if (_batch.Sequences[i].IsOver || _batch.Sequences[i].MaxProposals < lengths[0])
            {
                _batch.Release(_batch.Sequences[i]);
            }
        }

        if (!Fill(lengths.Length))
        {
            ReleaseAll(); // what has grown holds the blocks
            if (!Fill(lengths.Length))
            {
                throw new EngineFailureException($"The memory for keys and values does not hold {lengths.Length} short sequences.");
            }
        }

        while (_batch.Sequences.Any(sequence => !sequence.IsDecoding && !sequence.IsOver))
        {
            _batch.ShareAwaited();
            _prefill.Run(_batch.Sequences);
        }

        return _batch.Sequences.Any(sequence => sequence.IsOver || sequence.IsDraftSpoilt)
            ? throw new EngineFailureException("A model has no numbers for a prompt of the profile, or no room for one.")
            : _step.Run([.. lengths.Select((length, index) => PlanOf(length, index, kind == IterationKind.LookingUp))]).Timing;
    }

    /// <inheritdoc/>
    public void Dispose() => _batch.TakeAll();

    /// <summary>Whether there are so many sequences now, and room for their next step.</summary>
    private bool Fill(int count)
    {
        while (_batch.Sequences.Count < count)
        {
            var sequence = CreateSequence(isGreedy: _batch.Sequences.Count % 2 == 0);
            if (!_batch.HasRoomFor(sequence))
            {
                return false;
            }

            _batch.Admit(sequence);
        }

        return _batch.MakeRoom(sequence => sequence.AdmissionNumber).Count == 0;
    }

    private void ReleaseAll()
    {
        while (_batch.Sequences.Count > 0)
        {
            _batch.Release(_batch.Sequences[^1]);
        }
    }

    private PlannedSequence PlanOf(int length, int index, bool isLookedUp)
    {
        var sequence = _batch.Sequences[index];
        return new PlannedSequence(sequence, new SpeculationPlan(Math.Clamp(length, 0, Math.Max(0, sequence.MaxProposals))))
        {
            Match = isLookedUp ? new LookupMatch(LookupIndex.MatchLengths[^1], sequence.Length - 1, Period: 1) : null,
            IsLookedUp = isLookedUp,
        };
    }

    private Sequence CreateSequence(bool isGreedy)
    {
        var request = new GenerationRequest
        {
            PromptTokenIds =
            [
                .. Enumerable
                    .Range(0, Math.Clamp(_models.MaxLength / 2, 1, PromptLength))
                    .Select(position => position * 31 % _models.Target.VocabularySize),
            ],
            MaxTokens = MostTokens + _options.MaxSpeculationLength,
            IgnoreEos = true,
            Sampling = new SamplingParameters { Temperature = isGreedy ? 0 : 1, Mode = _options.DefaultMode },
            Proposer = _models.Draft is null ? Proposer.Lookup : Proposer.Both,
        };
        return new Sequence(
            request,
            _policy,
            _models.Tokenizer.CreateAssembler([]),
            new HashSet<int>(),
            _models.MaxLength,
            _time,
            CancellationToken.None
        );
    }
}
