using System.Text;
using Dsde.Engine;
using Dsde.Engine.Sampling;
using Dsde.Engine.Telemetry;
using Dsde.Pipeline.Telemetry;
using Dsde.Speculation;

namespace Dsde.Benchmarks.Pipeline;

/// <summary>
/// Answers every request at once, with a text and telemetry of the size that a job of some tokens has: what is left is the pipeline.
/// </summary>
internal sealed class InstantEngine : IGenerationEngine
{
    private const int TokensPerIteration = 4;

    private readonly string _text;
    private readonly int[] _tokenIds;
    private readonly float[] _logProbabilities;
    private readonly GenerationTrace _trace;

    /// <param name="capacity">Requests it takes at once.</param>
    /// <param name="tokens">Length of each output.</param>
    public InstantEngine(int capacity, int tokens)
    {
        Description = new EngineDescription(
            "instant",
            "none",
            ContextLength: 1 << 20,
            VocabularySize: 1 << 16,
            "none",
            "none",
            capacity,
            "static:4"
        );
        _text = string.Concat(Enumerable.Range(0, tokens).Select(i => i % 8 == 7 ? " tree" : " fox"));
        _tokenIds = [.. Enumerable.Range(0, tokens)];
        _logProbabilities = Fill(tokens, -0.5f);
        _trace = CreateTrace(tokens);
    }

    /// <inheritdoc/>
    public EngineDescription Description { get; }

    /// <inheritdoc/>
    public IPromptEncoder PromptEncoder { get; } = new CharacterEncoder();

    /// <inheritdoc/>
    public CancellationToken BrokenDown => CancellationToken.None;

    /// <inheritdoc/>
    public EngineSnapshot GetSnapshot() => default;

    /// <inheritdoc/>
    public Task<GenerationResult> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken) =>
        Task.FromResult(
            new GenerationResult
            {
                Text = _text,
                TokenIds = _tokenIds,
                TokenLogProbabilities = _logProbabilities,
                FinishReason = FinishReason.Length,
                Trace = _trace with { PromptTokens = request.PromptTokenIds.Count, Seed = request.Sampling.Seed },
            }
        );

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static GenerationTrace CreateTrace(int tokens)
    {
        var iterations = Math.Max(1, tokens / TokensPerIteration);
        var proposals = iterations * TokensPerIteration;
        return new GenerationTrace
        {
            Policy = "static:4",
            SamplingMode = SamplingMode.Greedy,
            Seed = 0,
            PromptTokens = 1,
            CompletionTokens = tokens,
            Proposed = proposals,
            Accepted = iterations * (TokensPerIteration - 1),
            Iterations = new IterationSeries
            {
                SpeculationLength = Fill(iterations, TokensPerIteration),
                Accepted = Fill(iterations, TokensPerIteration - 1),
                Wish = Fill(iterations, TokensPerIteration),
                Allowed = Fill(iterations, TokensPerIteration),
                DecidedBy = Fill(iterations, LengthDecider.Policy),
                PredictedLength = Fill(iterations, 4.25f),
                ScaleFactor = Fill(iterations, 0.75f),
                Wvir = Fill(iterations, 1.125f),
                Cap = Fill(iterations, 5f),
                BatchSize = Fill(iterations, 8),
                BatchRows = Fill(iterations, 40),
                DraftMs = Fill(iterations, 1.5f),
                VerifyMs = Fill(iterations, 6.5f),
                ProposedBy = Fill(iterations, ProposedBy.Draft),
                Forced = Fill(iterations, 0),
            },
            Proposals = new ProposalSeries
            {
                Kld = Fill(proposals, 0.125f),
                Beta = Fill(proposals, 0.875f),
                DraftEntropy = Fill(proposals, 1.5f),
                OnPath = Fill(proposals, true),
            },
            Tokens = new TokenSeries { Margin = Fill(tokens, 2.5f), DraftMatch = Fill(tokens, (sbyte)1) },
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
        };
    }

    private static T[] Fill<T>(int count, T value)
    {
        var values = new T[count];
        Array.Fill(values, value);
        return values;
    }

    /// <summary>A character is a token.</summary>
    private sealed class CharacterEncoder : IPromptEncoder
    {
        public int MaxTokenBytes => 4;

        public IReadOnlyList<int> Encode(string prompt) => [.. prompt.Select(character => (int)character)];

        public IReadOnlyList<int> EncodeChat(IReadOnlyList<ChatTurn> turns, ChatInputs? inputs = null) =>
            Encode(string.Concat(turns.Select(turn => turn.Content)));

        public string Decode(IReadOnlyList<int> tokenIds) => string.Concat(tokenIds.Select(id => (char)id));

        public ReadOnlySpan<byte> BytesOf(int tokenId) => Encoding.UTF8.GetBytes([(char)tokenId]);

        public bool IsSpecial(int tokenId) => false;
    }
}
