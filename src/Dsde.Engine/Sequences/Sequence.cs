using System.Runtime.InteropServices;
using Dsde.Engine.Sampling;
using Dsde.Engine.Tokenization;
using Dsde.Grammars.Tokens;
using Dsde.Speculation;
using Dsde.Speculation.Guarding;

namespace Dsde.Engine.Sequences;

/// <summary>
/// A request inside the engine. Holds the facts and derives the rest; the engine's thread alone touches it, but for
/// <see cref="Completion"/>.
/// </summary>
internal sealed class Sequence
{
    private List<int>? _tokenIds; // null while nothing but the prompt is needed: many requests may wait with the same one
    private readonly int _lengthLimit;
    private readonly HashSet<int> _endTokens;
    private readonly ITextAssembler _text;
    private LookupIndex? _lookup; // made when it is first asked: a waiting sequence needs none
    private int _draftLength;
    private int _checkpointed;

    public Sequence(
        GenerationRequest request,
        ISpeculationPolicy policy,
        ITextAssembler text,
        IReadOnlySet<int> endTokens,
        int maxLength,
        TimeProvider time,
        CancellationToken cancellation,
        TokenGrammar? grammar = null
    )
    {
        Request = request;
        Clock = new SequenceClock(time, request.ResumeFrom?.Trace.Times ?? default);
        Policy = policy;
        PolicyState = policy.CreateState(request.Sampling.Temperature);
        Cancellation = cancellation;
        _text = text;
        _endTokens = request.IgnoreEos ? request.StopTokenIds.ToHashSet() : [.. endTokens, .. request.StopTokenIds];
        History = new TokenHistory(request.Sampling, request.PromptTokenIds);
        LookupAcceptance = UsesLookup ? [.. LookupIndex.MatchLengths.Select(_ => new SequenceAcceptance())] : [];
        Grammar = grammar is null ? null : new GrammarProgress(grammar);
        _lengthLimit = (int)Math.Min(maxLength, (long)PromptLength + request.MaxTokens);
        if (request.ResumeFrom is { } checkpoint)
        {
            Restore(checkpoint);
        }
    }

    /// <summary>What was asked for.</summary>
    public GenerationRequest Request { get; }

    /// <summary>What chooses its speculation lengths.</summary>
    public ISpeculationPolicy Policy { get; }

    /// <summary>What the policy knows of it.</summary>
    public ISequencePolicyState PolicyState { get; }

    /// <summary>Whether the cost guard has a say in its lengths.</summary>
    public bool IsGuarded { get; private set; }

    /// <summary>Whether the draft may ever propose for it.</summary>
    public bool UsesDraft => Policy.Speculates && Request.Proposer != Proposer.Lookup;

    /// <summary>Whether lookup may.</summary>
    public bool UsesLookup => Request.Proposer is Proposer.Lookup or Proposer.Both && Policy.Speculates;

    /// <summary>How the draft's proposals fare, beside those of its workload.</summary>
    public SequenceAcceptance Acceptance { get; } = new();

    /// <summary>How those of lookup fare, by <see cref="LookupIndex.MatchLengths"/>; empty if it is not used.</summary>
    public IReadOnlyList<SequenceAcceptance> LookupAcceptance { get; }

    /// <summary>Where the result goes.</summary>
    public TaskCompletionSource<GenerationResult> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The caller's wish to end it.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>What is recorded about it.</summary>
    public TraceRecorder Recorder { get; } = new();

    /// <summary>What its penalties look at.</summary>
    public TokenHistory History { get; }

    /// <summary>How far it has got in its grammar; null if it has none.</summary>
    public GrammarProgress? Grammar { get; }

    /// <summary>Where its time goes.</summary>
    public SequenceClock Clock { get; }

    /// <summary>Its slot in both caches, or −1 while it waits.</summary>
    public int Slot { get; private set; } = -1;

    /// <summary>How many sequences got a slot before it did; the last time, if it has had several; −1 before.</summary>
    public long AdmissionNumber { get; private set; } = -1;

    /// <summary>How many requests came before it; null until the engine's thread has seen it.</summary>
    public long? ArrivalNumber { get; set; }

    /// <summary>Prompt and committed tokens.</summary>
    public IReadOnlyList<int> TokenIds => OwnTokenIds;

    /// <summary>The same to read fast; until the next token is committed.</summary>
    public ReadOnlySpan<int> TokenSpan => CollectionsMarshal.AsSpan(OwnTokenIds);

    /// <summary>
    /// Positions the target works through before iterations begin: the prompt, or, in a sequence that goes on, all but its last token.
    /// </summary>
    public int TargetGoal { get; private set; }

    /// <summary>
    /// Positions the draft works through before that: the same, or what it had seen; 0 if the policy is not going to draft soon.
    /// </summary>
    public int DraftGoal { get; private set; }

    /// <summary>The prefix it will get from another sequence that is still computing it; null if it awaits none.</summary>
    public AwaitedPrefix? Awaited { get; set; }

    /// <summary>
    /// Length that was wanted when the draft was too far behind to propose: it is owed as soon as the draft has caught up.
    /// </summary>
    public int PostponedLength { get; set; }

    /// <summary>Whether the draft is so far behind that it has to catch up before it proposes again.</summary>
    public bool IsCatchingUp => PostponedLength > 0;

    /// <summary>Tokens of the prompt that were taken from other sequences instead of being computed.</summary>
    public int ReusedPromptTokens { get; private set; }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptLength => Request.PromptTokenIds.Count;

    /// <summary>Prompt and committed tokens together.</summary>
    public int Length => _tokenIds?.Count ?? PromptLength;

    /// <summary>Committed tokens.</summary>
    public int EmittedCount => Length - PromptLength;

    /// <summary>Whether what it begins with has been worked through, so that it takes part in iterations.</summary>
    public bool IsDecoding { get; private set; }

    /// <summary>Most tokens worth proposing: one less than may still be emitted, because verification adds one of its own.</summary>
    public int MaxProposals => _lengthLimit - Length - 1;

    /// <summary>What ended it; null while it runs.</summary>
    public FinishReason? FinishReason { get; private set; }

    /// <summary>What it can't go on for; null as long as nothing is wrong.</summary>
    public EngineFailureException? Failure { get; private set; }

    /// <summary>Whether it has ended, in whatever way.</summary>
    public bool IsOver => FinishReason is not null || Failure is not null;

    /// <summary>Whether the draft gave logits that are no numbers; it proposes no more for this sequence.</summary>
    public bool IsDraftSpoilt { get; set; }

    /// <summary>The text so far, cut before the stop string.</summary>
    public string Text => _text.Text;

    private List<int> OwnTokenIds => _tokenIds ??= [.. Request.PromptTokenIds];

    /// <summary>What asks it to end, from outside: its control, or its time; null for nothing.</summary>
    public FinishReason? AskedToEnd(DateTimeOffset now) =>
        Request.Control?.Asked is Engine.FinishReason.Cancelled ? Engine.FinishReason.Cancelled
        : Request.ExpiresAt <= now ? Engine.FinishReason.Expired
        : Request.Control?.Asked;

    /// <summary>
    /// The tokens before a position as penalties look at them; only asked for the next position, or where a draft catches up.
    /// </summary>
    public TokenHistory HistoryBefore(int position)
    {
        if (position == Length || History is { Context: null, Output: null })
        {
            return History;
        }

        var history = new TokenHistory(Request.Sampling, Request.PromptTokenIds);
        for (var i = PromptLength; i < position; i++)
        {
            history.Add(OwnTokenIds[i]);
        }

        return history;
    }

    /// <summary>Its tokens, and some that will have to follow.</summary>
    public ReadOnlySpan<int> WithAssumed(IReadOnlyList<int> following) =>
        following.Count == 0 ? TokenSpan : (int[])[.. OwnTokenIds, .. following];

    /// <summary>What lookup finds behind its tokens and some that will have to follow; null for nothing.</summary>
    public LookupMatch? LookUp(IReadOnlyList<int> following) => (_lookup ??= new LookupIndex()).Find(WithAssumed(following));

    /// <summary>The tokens that its grammar forces next, at most so many; none in a survey, which asks what the draft would say.</summary>
    public IReadOnlyList<int> FindForced(int most) => Request.IsSurvey ? [] : Grammar?.FindForced(most) ?? [];

    /// <summary>How what lookup finds in matches of a length fares for it.</summary>
    public SequenceAcceptance LookupAcceptanceOf(in LookupMatch match)
    {
        var level = 0;
        while (LookupIndex.MatchLengths[level] != match.Length)
        {
            level++;
        }

        return LookupAcceptance[level];
    }

    /// <summary>The tokens that its grammar allows at a position of the output; null for all.</summary>
    public TokenSet? AllowedAt(int position) => Grammar?.AllowedBehind(position - PromptLength);

    /// <summary>Whether its grammar allows a single token at a position of the output.</summary>
    public bool IsForcedAt(int position) => AllowedAt(position) is { Count: 1 };

    /// <summary>The sequence has got a slot.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="admissionNumber">How many sequences have got one before.</param>
    /// <param name="draftReadsAlong">Whether the draft is to read the prompt along with the target. If not, it reads it when a proposal is
    /// first asked for.</param>
    /// <param name="isGuarded">Whether the cost guard has a say in its lengths.</param>
    public void Admit(int slot, long admissionNumber, bool draftReadsAlong, bool isGuarded)
    {
        IsGuarded = isGuarded;
        Slot = slot;
        AdmissionNumber = admissionNumber;
        TargetGoal = EmittedCount == 0 ? PromptLength : Length - 1;
        DraftGoal =
            EmittedCount == 0 ? (draftReadsAlong ? PromptLength : 0)
            : UsesDraft ? _draftLength
            : 0;
        Clock.Admitted();
    }

    /// <summary>The sequence is in another slot now.</summary>
    public void MoveTo(int slot) => Slot = slot;

    /// <summary>The sequence has no slot any more. <paramref name="draftLength"/>: what the draft had seen, should it go on.</summary>
    public void Leave(int draftLength)
    {
        _draftLength = IsDecoding ? draftLength : _draftLength;
        Slot = -1;
        IsDecoding = false;
        PostponedLength = 0;
        Awaited = null;
        Clock.PutBack();
    }

    /// <summary>
    /// Notes that some of what it begins with came from another sequence. <paramref name="length"/>: how much of it is there now.
    /// </summary>
    /// <returns>The tokens of the prompt that are new among these.</returns>
    public int NoteReuse(int length)
    {
        var more = Math.Max(0, Math.Min(length, PromptLength) - ReusedPromptTokens);
        ReusedPromptTokens += more;
        return more;
    }

    /// <summary>What it begins with has been worked through.</summary>
    public void BeginDecoding() => IsDecoding = true;

    /// <summary>Ends it because the target gave no numbers to choose a token by. <paramref name="position"/>: of that token.</summary>
    public void FailForNumbers(int position) =>
        Failure = new EngineFailureException(
            $"The target's logits at position {position} ({PromptLength} tokens of prompt, {position - PromptLength} of output before it) "
                + "are no numbers (NaN or infinity), so that there is no token to choose. The model overflows in the data type it runs in, "
                + "or is damaged; other requests are not concerned."
        );

    /// <summary>Ends it as asked from outside.</summary>
    public void End(FinishReason reason) => FinishReason ??= reason;

    /// <summary>
    /// The one way a token gets into the output, with and without speculation. A stop beats the length; what stands behind an end is
    /// refused.
    /// </summary>
    /// <returns>Whether the sequence goes on.</returns>
    public bool Commit(in CommittedToken token)
    {
        if (IsOver)
        {
            throw new InvalidOperationException("A token was committed behind the end of a sequence.");
        }

        OwnTokenIds.Add(token.TokenId);
        History.Add(token.TokenId);
        Recorder.AddToken(token);
        if (EmittedCount == 1)
        {
            Clock.BeginText();
        }

        if (_endTokens.Contains(token.TokenId) || _text.Append(token.TokenId))
        {
            FinishReason = Engine.FinishReason.Stop;
        }
        else if (TakeIntoGrammar(token.TokenId))
        {
            FinishReason = Engine.FinishReason.Stop;
        }
        else if (Length >= _lengthLimit)
        {
            FinishReason = Engine.FinishReason.Length;
        }

        return !IsOver;
    }

    /// <summary>Takes a token into the grammar, if there is one. True if the output is complete by it.</summary>
    private bool TakeIntoGrammar(int tokenId)
    {
        Grammar?.Add(tokenId);
        if (Length < _lengthLimit && Grammar is { IsStuck: true })
        {
            Failure = new EngineFailureException(
                $"Behind {EmittedCount} tokens of output the grammar wants something that no token of the model stands for. The model's "
                    + "vocabulary lacks single bytes; ask for less, or use another model."
            );
        }

        return Grammar is { IsComplete: true };
    }

    /// <summary>Whether a token ends the output, whatever its text.</summary>
    public bool IsEnd(int tokenId) => _endTokens.Contains(tokenId);

    /// <summary>The result of a finished sequence.</summary>
    public GenerationResult ToResult() =>
        new()
        {
            Text = Text,
            TokenIds = _tokenIds?[PromptLength..] ?? [],
            TokenLogProbabilities = Recorder.LogProbabilities,
            TopLogProbabilities = Request.TopLogProbabilityCount > 0 ? Recorder.MostProbable : [],
            FinishReason = FinishReason ?? throw new InvalidOperationException("A sequence without an end has no result."),
            Checkpoint = FinishReason == Engine.FinishReason.Suspended ? SequenceExport.Create(this, _draftLength) : null,
            Trace = Recorder.ToTrace(this, Clock.Read()),
        };

    /// <summary>
    /// Hands over a checkpoint if enough tokens were committed since the last. <paramref name="draftLength"/>: what the draft has seen.
    /// </summary>
    public void TakeCheckpointIfDue(int draftLength)
    {
        if (
            Request.Control is { CheckpointInterval: > 0 and var interval, Checkpointed: { } receive }
            && EmittedCount - _checkpointed >= interval
        )
        {
            _checkpointed = EmittedCount;
            receive(SequenceExport.Create(this, draftLength));
        }
    }

    /// <summary>Tells its owner how far it is, if there is one who may ask.</summary>
    public void ReportProgress() =>
        Request.Control?.Report(
            new GenerationProgress(
                IsOver ? GenerationPhase.Ended
                    : Slot < 0 ? GenerationPhase.Waiting
                    : IsDecoding ? GenerationPhase.Decoding
                    : GenerationPhase.Prefill,
                PromptLength,
                EmittedCount,
                _lengthLimit - PromptLength,
                Recorder.Proposed,
                Recorder.AcceptedAndKept,
                Recorder.Latest?.Proposed
            )
        );

    /// <summary>Text and stop strings come from the tokens, random draws from their positions; the rest was kept.</summary>
    private void Restore(SequenceCheckpoint checkpoint)
    {
        foreach (var id in checkpoint.TokenIds)
        {
            OwnTokenIds.Add(id);
            _text.Append(id);
            History.Add(id);
            Grammar?.Add(id);
        }

        _draftLength = checkpoint.DraftLength;
        _checkpointed = EmittedCount;
        ReusedPromptTokens = checkpoint.Trace.ReusedPromptTokens;
        Recorder.Restore(checkpoint);
        RestoreAcceptance(checkpoint.Acceptance);
        if (checkpoint.Trace.Policy == Policy.Name)
        {
            PolicyState.Restore(checkpoint.PolicyState);
        }
    }

    /// <summary>The draft's comes first, then lookup's, where the sequence that wrote the checkpoint used it.</summary>
    private void RestoreAcceptance(ReadOnlySpan<double> exported)
    {
        foreach (var acceptance in (SequenceAcceptance[])[Acceptance, .. LookupAcceptance])
        {
            if (exported.IsEmpty)
            {
                return;
            }

            acceptance.Restore(exported[..Math.Min(SequenceAcceptance.ExportLength, exported.Length)]);
            exported = exported[Math.Min(SequenceAcceptance.ExportLength, exported.Length)..];
        }
    }
}
