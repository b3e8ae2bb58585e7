namespace Dsde.Engine.Sampling;

/// <summary>
/// What penalties look at: which tokens came before. Holds tallies only of what the parameters ask for, so that sequences without penalties
/// cost nothing.
/// </summary>
internal sealed class TokenHistory
{
    private readonly TokenTally? _context,
        _output;

    /// <param name="parameters">Say which tallies are needed.</param>
    /// <param name="prompt">Tokens before the output.</param>
    public TokenHistory(SamplingParameters parameters, IReadOnlyList<int> prompt)
    {
        _output = parameters.PresencePenalty != 0f || parameters.FrequencyPenalty != 0f ? new TokenTally() : null;
        if (parameters.RepetitionPenalty != 1f)
        {
            _context = new TokenTally();
            foreach (var id in prompt)
            {
                _context.Add(id);
            }
        }
    }

    /// <summary>Tokens of prompt and output; null if there is no repetition penalty.</summary>
    public IReadOnlyDictionary<int, int>? Context => _context?.Counts;

    /// <summary>Tokens of the output; null if there is neither a presence nor a frequency penalty.</summary>
    public IReadOnlyDictionary<int, int>? Output => _output?.Counts;

    /// <summary>Takes in a committed token.</summary>
    public void Add(int tokenId)
    {
        _context?.Add(tokenId);
        _output?.Add(tokenId);
    }
}
