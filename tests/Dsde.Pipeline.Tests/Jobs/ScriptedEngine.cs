using System.Text;
using Dsde.Engine;
using Dsde.Engine.Sampling;
using Dsde.Engine.Telemetry;
using Dsde.Pipeline.Telemetry;
using Dsde.Speculation;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>An engine that does what a test says, for the cases that a real one can't be brought to: failing, and waiting.</summary>
internal sealed class ScriptedEngine(
    Func<GenerationRequest, CancellationToken, Task<GenerationResult>> generate,
    CancellationToken brokenDown = default
) : IGenerationEngine
{
    /// <summary>A prompt that the encoder refuses.</summary>
    public const string Unencodable = "aaaa";

    /// <summary>The one special token.</summary>
    public const int SpecialToken = 3;

    /// <summary>Requests so far.</summary>
    public int Requests { get; private set; }

    public EngineDescription Description { get; init; } = Standard;

    /// <summary>What it has loaded unless a test says otherwise.</summary>
    public static EngineDescription Standard { get; } = new("target", "draft", 64, 256, "fp32", "cpu", 4, "dsde");

    public IPromptEncoder PromptEncoder { get; } = new BytesEncoder();

    public CancellationToken BrokenDown => brokenDown;

    /// <summary>What it says of itself.</summary>
    public EngineSnapshot Snapshot { get; set; }

    public EngineSnapshot GetSnapshot() => Snapshot;

    public Task<GenerationResult> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken)
    {
        Requests++;
        return generate(request, cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A plausible end of a request.</summary>
    public static GenerationResult Result(GenerationRequest request, string text = "done") =>
        new()
        {
            Text = text,
            TokenIds = [1, 2, 3],
            TokenLogProbabilities = [-1, -2, -3],
            FinishReason = FinishReason.Stop,
            Trace = new GenerationTrace
            {
                Policy = "static:2",
                SamplingMode = request.Sampling.IsGreedy ? SamplingMode.Greedy : SamplingMode.Rejection,
                Seed = request.Sampling.Seed,
                PromptTokens = request.PromptTokenIds.Count,
                CompletionTokens = 3,
                Proposed = 2,
                Accepted = 1,
                Iterations = new IterationSeries
                {
                    SpeculationLength = [2],
                    Accepted = [1],
                    Wish = [2],
                    Allowed = [2],
                    DecidedBy = [LengthDecider.Policy],
                    PredictedLength = [float.NaN],
                    ScaleFactor = [float.NaN],
                    Wvir = [float.NaN],
                    Cap = [float.NaN],
                    BatchSize = [1],
                    BatchRows = [3],
                    DraftMs = [1],
                    VerifyMs = [2],
                    ProposedBy = [ProposedBy.Draft],
                    Forced = [0],
                },
                Proposals = new ProposalSeries
                {
                    Kld = [0.1f, 0.3f],
                    Beta = [0.9f, 0.5f],
                    DraftEntropy = [1, 2],
                    OnPath = [true, true],
                },
                Tokens = new TokenSeries { Margin = [1, 2, 3], DraftMatch = [1, 0, -1] },
                Times = new GenerationTimes
                {
                    WaitingMs = 1,
                    PrefillMs = 2,
                    DraftMs = 3,
                    VerifyMs = 4,
                    SamplingMs = 5,
                    TotalMs = 15,
                    FirstTokenMs = 3,
                },
            },
        };

    /// <summary>Where a request stands that got as far as a result.</summary>
    public static SequenceCheckpoint Checkpoint(GenerationRequest request, GenerationResult result) =>
        new()
        {
            Version = SequenceCheckpoint.CurrentVersion,
            PromptDigest = SequenceCheckpoint.DigestOf(request.PromptTokenIds),
            TokenIds = [.. result.TokenIds],
            TokenLogProbabilities = [.. result.TokenLogProbabilities],
            TopLogProbabilities = result.TopLogProbabilities,
            DraftLength = 1,
            PolicyState = [1, double.NaN],
            Acceptance = [1, 2],
            Trace = result.Trace,
        };

    private sealed class BytesEncoder : IPromptEncoder
    {
        public int MaxTokenBytes => 4;

        public IReadOnlyList<int> Encode(string prompt) =>
            prompt == Unencodable
                ? throw new ArgumentException("The text can't be cut into words.")
                : [.. prompt.Select(character => (int)character)];

        public IReadOnlyList<int> EncodeChat(IReadOnlyList<ChatTurn> turns, ChatInputs? inputs = null) =>
            Encode(string.Concat(turns.Select(turn => turn.Content)));

        public string Decode(IReadOnlyList<int> tokenIds) => string.Concat(tokenIds.Select(id => (char)id));

        public ReadOnlySpan<byte> BytesOf(int tokenId) => Encoding.UTF8.GetBytes([(char)tokenId]);

        public bool IsSpecial(int tokenId) => tokenId == SpecialToken;
    }
}
