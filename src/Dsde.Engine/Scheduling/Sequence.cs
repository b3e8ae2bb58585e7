using Dsde.Engine.Sampling;
using Dsde.Engine.Speculation;
using Dsde.Engine.Telemetry;

namespace Dsde.Engine.Scheduling;

/// <summary>
/// A request inside the engine. Holds the facts and derives the rest; the engine's thread alone touches it, but for <see cref="Completion"/>.
/// </summary>
internal sealed class Sequence
{
    private readonly List<int> _tokenIds;
    private readonly int _lengthLimit;
    private readonly HashSet<int> _endTokens;
    private readonly ITextAssembler _text;

    public Sequence(
        GenerationRequest request, ISpeculationPolicy policy, ITextAssembler text, IReadOnlySet<int> endTokens, int maxLength,
        TimeProvider time, CancellationToken cancellation)
    {
        Request = request;
        Clock = new SequenceClock(time);
        Policy = policy;
        PolicyState = policy.CreateState(request.Sampling.Temperature);
        Cancellation = cancellation;
        _text = text;
        _endTokens = request.IgnoreEos ? request.StopTokenIds.ToHashSet() : [.. endTokens, .. request.StopTokenIds];
        _tokenIds = [.. request.PromptTokenIds];
        History = new TokenHistory(request.Sampling, _tokenIds);
        _lengthLimit = (int)Math.Min(maxLength, (long)PromptLength + request.MaxTokens);
    }

    /// <summary>What was asked for.</summary>
    public GenerationRequest Request { get; }

    /// <summary>What chooses its speculation lengths.</summary>
    public ISpeculationPolicy Policy { get; }

    /// <summary>What the policy knows of it.</summary>
    public ISequencePolicyState PolicyState { get; }

    /// <summary>Where the result goes.</summary>
    public TaskCompletionSource<GenerationResult> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The caller's wish to end it.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>What is recorded about it.</summary>
    public TraceRecorder Recorder { get; } = new();

    /// <summary>What its penalties look at.</summary>
    public TokenHistory History { get; }

    /// <summary>Where its time goes.</summary>
    public SequenceClock Clock { get; }

    /// <summary>Its slot in both caches, or −1 while it waits.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>Prompt and committed tokens.</summary>
    public IReadOnlyList<int> TokenIds => _tokenIds;

    /// <summary>Tokens of the prompt.</summary>
    public int PromptLength => Request.PromptTokenIds.Count;

    /// <summary>Prompt and committed tokens together.</summary>
    public int Length => _tokenIds.Count;

    /// <summary>Committed tokens.</summary>
    public int EmittedCount => Length - PromptLength;

    /// <summary>Whether the prompt has been worked through and a first token emitted.</summary>
    public bool IsDecoding => EmittedCount > 0;

    /// <summary>Most tokens worth proposing: one less than may still be emitted, because verification adds one of its own.</summary>
    public int MaxProposals => _lengthLimit - Length - 1;

    /// <summary>What ended it; null while it runs.</summary>
    public FinishReason? FinishReason { get; private set; }

    /// <summary>The text so far, cut before the stop string.</summary>
    public string Text => _text.Text;

    /// <summary>
    /// The one way a token gets into the output, with and without speculation. A stop beats the length; what stands behind an end is refused.
    /// </summary>
    /// <returns>Whether the sequence goes on.</returns>
    public bool Commit(in CommittedToken token)
    {
        if (FinishReason is not null)
        {
            throw new InvalidOperationException("A token was committed behind the end of a sequence.");
        }

        _tokenIds.Add(token.TokenId);
        History.Add(token.TokenId);
        Recorder.AddToken(token);
        if (_endTokens.Contains(token.TokenId) || _text.Append(token.TokenId))
        {
            FinishReason = Engine.FinishReason.Stop;
        }
        else if (Length >= _lengthLimit)
        {
            FinishReason = Engine.FinishReason.Length;
        }

        return FinishReason is null;
    }

    /// <summary>The result of a finished sequence.</summary>
    public GenerationResult ToResult() => new()
    {
        Text = Text,
        TokenIds = _tokenIds[PromptLength..],
        TokenLogProbabilities = Recorder.LogProbabilities,
        TopLogProbabilities = Request.TopLogProbabilityCount > 0 ? Recorder.MostProbable : [],
        FinishReason = FinishReason ?? throw new InvalidOperationException("A sequence without an end has no result."),
        Trace = Recorder.ToTrace(this, Clock.Read()),
    };
}
